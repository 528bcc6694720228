// Command report writes ../docs/performance.md and its chart from what cmd/bench
// has found.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kin-orm/kin/bench/contenders"
	"github.com/kin-orm/kin/bench/measure"
	"github.com/kin-orm/kin/bench/report"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run() error {
	in := flag.String("in", "results.json", "the file that cmd/bench has written")
	out := flag.String("out", "../docs/performance.md", "the page to write; the chart is put beside it")
	flag.Parse()
	text, err := os.ReadFile(*in)
	if err != nil {
		return err
	}
	var f measure.File
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	chart := strings.TrimSuffix(*out, filepath.Ext(*out)) + ".svg"
	all := contenders.All()
	if err := os.WriteFile(chart, []byte(report.Chart(&f, all)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(*out, []byte(report.Markdown(&f, all, filepath.Base(chart))), 0o644)
}
