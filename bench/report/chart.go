package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/db"
	"github.com/kin-orm/kin/bench/measure"
)

// The measures of the chart, in pixels.
const (
	rowHeight  = 20
	labelWidth = 150
	plotWidth  = 430
	panelWidth = labelWidth + plotWidth + 30
	headHeight = 60
	foot       = 30
)

// The ends of the axis, which is logarithmic; what lies beyond is drawn there.
const (
	lowest  = 0.2
	highest = 32
)

// colours are those of contenders after the reference: of Okabe and Ito, which
// most people can tell apart.
func colours() []string {
	return []string{"#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#888888"}
}

// Chart returns an SVG picture: for each database a row for each workload, with
// a dot for each contender, at its time relative to the reference.
func Chart(f *measure.File, contenders []bench.Contender) string {
	names := slices.DeleteFunc(db.Names(), func(name string) bool { return len(rows(f, name)) == 0 })
	height := 0
	for i := 0; i < len(names); i += 2 { // two panels beside each other
		most := len(rows(f, names[i]))
		if i+1 < len(names) {
			most = max(most, len(rows(f, names[i+1])))
		}
		height += headHeight + foot + most*rowHeight
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		2*panelWidth, height+30)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	legend(&b, f, contenders)
	y := 30
	for i := 0; i < len(names); i += 2 {
		most := 0
		for j := i; j < min(i+2, len(names)); j++ {
			panel(&b, f, contenders, names[j], (j-i)*panelWidth, y)
			most = max(most, len(rows(f, names[j])))
		}
		y += headHeight + foot + most*rowHeight
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// rows returns the workloads that have a dot on a database.
func rows(f *measure.File, database string) []bench.Workload {
	return slices.DeleteFunc(bench.Workloads(), func(w bench.Workload) bool {
		return w.Kind == bench.Text || missing(f.Find(database, w.Name, bench.Reference)) != ""
	})
}

func legend(b *strings.Builder, f *measure.File, contenders []bench.Contender) {
	x := 20
	for i, c := range contenders[1:] {
		if !slices.ContainsFunc(f.Results, func(r measure.Result) bool { return r.Contender == c.Name }) {
			continue
		}
		fmt.Fprintf(b, `<circle cx="%d" cy="18" r="5" fill="%s"/><text x="%d" y="22">%s</text>`+"\n", x, colours()[i], x+10, c.Name)
		x += 30 + 8*len(c.Name)
	}
	fmt.Fprintf(b, `<text x="%d" y="22" fill="#555">time relative to hand-written database/sql; less is better</text>`+"\n", x+10)
}

func panel(b *strings.Builder, f *measure.File, contenders []bench.Contender, database string, x, y int) {
	list := rows(f, database)
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="15" font-weight="bold">%s</text>`+"\n", x+10, y+25, database)
	top, bottom := y+headHeight-10, y+headHeight+len(list)*rowHeight
	for _, at := range []float64{0.25, 0.5, 1, 2, 4, 8, 16, 32} {
		colour := "#ddd"
		if at == 1 {
			colour = "#555"
		}
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="%s"/><text x="%.1f" y="%d" text-anchor="middle" fill="#555">%g</text>`+"\n",
			place(x, at), place(x, at), top, bottom, colour, place(x, at), top-5, at)
	}
	for i, w := range list {
		line := y + headHeight + i*rowHeight + rowHeight/2
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", x+labelWidth-5, line+4, w.Name)
		ref := f.Find(database, w.Name, bench.Reference)
		for j := len(contenders) - 1; j > 0; j-- { // kin last, above the others
			r := f.Find(database, w.Name, contenders[j].Name)
			if missing(r) != "" {
				continue
			}
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%d" r="4.5" fill="%s" fill-opacity="0.85"><title>%s %s: %.2f</title></circle>`+"\n",
				place(x, r.Ratio(ref).Median), line, colours()[j-1], contenders[j].Name, w.Name, r.Ratio(ref).Median)
		}
	}
}

// place returns where a ratio is drawn.
func place(x int, ratio float64) float64 {
	ratio = min(max(ratio, lowest), highest)
	return float64(x+labelWidth) + plotWidth*math.Log(ratio/lowest)/math.Log(highest/lowest)
}
