package docs

import "fmt"

// show stands for what a program does with an answer, and with an error, which
// is a panic here so that the programs are short.
func show(answer any, err error) error {
	if err != nil {
		panic(err)
	}
	_ = fmt.Sprint(answer)
	return nil
}
