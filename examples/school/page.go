package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/kin-orm/kin"
)

// A page is what will be printed. It has colours if it is for a terminal and
// NO_COLOR is not set.
type page struct {
	bytes.Buffer
	colours bool
}

func newPage(f *os.File) *page {
	info, err := f.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &page{colours: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.Buffer, format, args...) }

// colour returns s in a colour of ANSI terminals.
func (p *page) colour(code, s string) string {
	if !p.colours {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *page) title(s string)      { p.printf("\n%s\n\n", p.colour("1", "# "+s)) }
func (p *page) failure(err error)   { p.printf("\n    %s\n", p.colour("31", err.Error())) }
func (p *page) dim(s string) string { return p.colour("2", s) }

// code prints lines, indented.
func (p *page) code(s string) {
	for line := range strings.Lines(s) {
		line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")
		p.printf("    %s\n", p.colour("36", line))
	}
}

// tree prints classes with all that is loaded for them. No method that it
// calls asks the database.
func (p *page) tree(classes []*SchoolClass) {
	for _, c := range classes {
		p.printf("%s\n", p.colour("1", c.Name))
		p.printf("├─ students\n")
		for i, s := range c.Students.All() { // []*Student
			p.leaf("│  ", i+1 == c.Students.Len(), s.Name, s.Category.Get())
		}
		p.printf("└─ teachers\n")
		for i, t := range c.Teachers.All() { // []*Teacher
			p.leaf("   ", i+1 == c.Teachers.Len(), t.Name, t.Category.Get())
		}
	}
}

func (p *page) leaf(indent string, last bool, name string, category *Category) {
	branch := "├─"
	if last {
		branch = "└─"
	}
	of := p.dim("no category") // a NULL is a nil, never an empty Category
	if category != nil {
		of = category.Name
	}
	p.printf("%s%s %-10s %s\n", indent, branch, name, of)
}

// json prints JSON with a line for each row.
func (p *page) json(text []byte) {
	p.code(strings.NewReplacer(
		`,"Students":[`, ",\n  \"Students\":[\n    ", `],"Teachers":[`, "],\n  \"Teachers\":[\n    ", `},{"ID"`, "},\n    {\"ID\"",
	).Replace(string(text)))
}

// relations prints every relation between the models of a registry.
func (p *page) relations(r *kin.Registry) error {
	joins, err := r.Joins()
	if err != nil {
		return err
	}
	const format = "    %-16s %-16s %-10s %-8s %s\n"
	p.printf(format, "FROM", "TO", "PATH", "ALIAS", "JOINED ON")
	for _, j := range joins {
		on := j.On[0] // there are more if the key is composite
		p.printf(format, j.From, j.To, j.Name, j.Alias, j.Alias+"."+on[1]+" = "+j.From+"."+on[0])
	}
	return nil
}
