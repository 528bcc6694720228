package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/kin-orm/kin/bench/db"
)

func read(ctx context.Context, pool *sql.DB, st map[string]driver.Stmt, q string) (rows, cells int) {
	c, err := pool.Conn(ctx)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	err = c.Raw(func(dc any) error {
		s := st[q]
		if s == nil {
			var err error
			s, err = dc.(driver.Conn).Prepare(q)
			if err != nil {
				return err
			}
			st[q] = s
		}
		r, err := s.(driver.StmtQueryContext).QueryContext(ctx, nil)
		if err != nil {
			return err
		}
		defer r.Close()
		dest := make([]driver.Value, len(r.Columns()))
		for {
			if err := r.Next(dest); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			rows++
			cells += len(dest)
		}
	})
	if err != nil {
		panic(fmt.Sprint(q, err))
	}
	return
}

func main() {
	ctx := context.Background()
	for _, name := range os.Args[1:] {
		t, err := db.Open(ctx, name)
		if err != nil {
			panic(err)
		}
		pool := t.Instance().Pool()
		pool.SetMaxOpenConns(1)
		cat := ""
		if name == "postgres" {
			cat = "::text"
		}
		_ = cat
		sets := [][]string{
			{ // students joined
				`SELECT s.id, s.name, s.class_id, s.category_id, c.name, k.name FROM students s JOIN school_classes c ON c.id=s.class_id LEFT JOIN categories k ON k.id=s.category_id ORDER BY s.id`,
				`SELECT s.id, s.name, s.class_id, s.category_id, c.id, c.name, k.id, k.name FROM students s LEFT JOIN school_classes c ON c.id=s.class_id LEFT JOIN categories k ON k.id=s.category_id ORDER BY s.id`,
				`SELECT 0, s.id, s.name, s.class_id, s.category_id FROM students s UNION ALL SELECT 1, c.id, c.name, NULL, NULL FROM (SELECT DISTINCT class_id AS k1 FROM students) p JOIN school_classes c ON c.id=p.k1 UNION ALL SELECT 2, c.id, c.name, NULL, NULL FROM (SELECT DISTINCT category_id AS k1 FROM students) p JOIN categories c ON c.id=p.k1`,
				`SELECT s.id, s.name, s.class_id, s.category_id FROM students s ORDER BY s.id`,
				`WITH r AS MATERIALIZED (SELECT s.id, s.name, s.class_id, s.category_id, row_number() over (order by s.id) AS n FROM students s) SELECT 0, n, id, name, class_id, category_id FROM r UNION ALL SELECT 1, NULL, c.id, c.name, NULL, NULL FROM (SELECT DISTINCT class_id AS k1 FROM r) p JOIN school_classes c ON c.id=p.k1 UNION ALL SELECT 2, NULL, c.id, c.name, NULL, NULL FROM (SELECT DISTINCT category_id AS k1 FROM r) p JOIN categories c ON c.id=p.k1`,
				`WITH r AS MATERIALIZED (SELECT s.id, s.name, s.class_id, s.category_id FROM students s) SELECT 0, id, name, class_id, category_id FROM r UNION ALL SELECT 1, c.id, c.name, NULL, NULL FROM (SELECT DISTINCT class_id AS k1 FROM r) p JOIN school_classes c ON c.id=p.k1 UNION ALL SELECT 2, c.id, c.name, NULL, NULL FROM (SELECT DISTINCT category_id AS k1 FROM r) p JOIN categories c ON c.id=p.k1`,
			},
			{ // seed
				`SELECT 0, c.id, c.name, NULL, NULL FROM school_classes c UNION ALL SELECT 1, s.id, s.name, s.class_id, s.category_id FROM school_classes c JOIN students s ON s.class_id = c.id UNION ALL SELECT 2, s.id, s.name, s.class_id, s.category_id FROM school_classes c JOIN teachers s ON s.class_id = c.id`,
				`SELECT 0, c.id, c.name, NULL, NULL FROM school_classes c UNION ALL SELECT 1, s.id, s.name, s.class_id, s.category_id FROM students s WHERE s.class_id IN (SELECT id FROM school_classes) UNION ALL SELECT 2, s.id, s.name, s.class_id, s.category_id FROM teachers s WHERE s.class_id IN (SELECT id FROM school_classes)`,
				`SELECT 0, c.id, c.name, NULL, NULL FROM school_classes c UNION ALL SELECT 1, s.id, s.name, s.class_id, s.category_id FROM students s CROSS JOIN school_classes c ON s.class_id = c.id UNION ALL SELECT 2, s.id, s.name, s.class_id, s.category_id FROM teachers s CROSS JOIN school_classes c ON s.class_id = c.id`,
				`SELECT 0, c.id, c.name, NULL, NULL FROM school_classes c UNION ALL SELECT 1, s.id, s.name, s.class_id, s.category_id FROM students s WHERE EXISTS (SELECT 1 FROM school_classes c WHERE c.id = s.class_id) UNION ALL SELECT 2, s.id, s.name, s.class_id, s.category_id FROM teachers s WHERE EXISTS (SELECT 1 FROM school_classes c WHERE c.id = s.class_id)`,
				`SELECT 0, c.id, c.name, NULL, NULL FROM school_classes c UNION ALL SELECT 1, s.id, s.name, s.class_id, s.category_id FROM students s LEFT JOIN school_classes c ON c.id = s.class_id WHERE c.id IS NOT NULL UNION ALL SELECT 2, s.id, s.name, s.class_id, s.category_id FROM teachers s LEFT JOIN school_classes c ON c.id = s.class_id WHERE c.id IS NOT NULL`,
				`SELECT 0, c.id, c.name, NULL, NULL FROM school_classes c UNION ALL SELECT 1, s.id, s.name, s.class_id, s.category_id FROM students s UNION ALL SELECT 2, s.id, s.name, s.class_id, s.category_id FROM teachers s`,
			},
			{ // category arm
				`SELECT k.id, k.name FROM (SELECT DISTINCT s.category_id AS k1 FROM students s) p JOIN categories k ON k.id = p.k1`,
				`SELECT k.id, k.name FROM categories k WHERE k.id IN (SELECT s.category_id FROM students s)`,
				`SELECT k.id, k.name FROM categories k WHERE EXISTS (SELECT 1 FROM students s WHERE s.category_id = k.id)`,
				`SELECT k.id, k.name FROM (SELECT DISTINCT s.category_id AS k1 FROM school_classes c JOIN students s ON s.class_id=c.id) p JOIN categories k ON k.id = p.k1`,
				`SELECT k.id, k.name FROM (SELECT DISTINCT s.category_id AS k1 FROM students s WHERE s.class_id IN (SELECT id FROM school_classes)) p JOIN categories k ON k.id = p.k1`,
			},
		}
		for si, set := range sets {
			for i := range set {
				if name == "postgres" {
					set[i] = strings.ReplaceAll(replaceFirstNulls(set[i]), "CROSS JOIN", "JOIN")
				}
				if name == "mysql" {
					set[i] = strings.ReplaceAll(set[i], "CROSS JOIN", "STRAIGHT_JOIN")
					set[i] = replaceMat(set[i])
				}
			}
			st := map[string]driver.Stmt{}
			times := make([][]float64, len(set))
			var shape [][2]int
			for round := 0; round < 60; round++ {
				for i, q := range set {
					t0 := time.Now()
					r, c := read(ctx, pool, st, q)
					if round == 0 {
						shape = append(shape, [2]int{r, c})
						continue
					}
					times[i] = append(times[i], float64(time.Since(t0).Microseconds()))
				}
			}
			for i := range set {
				sort.Float64s(times[i])
				n := len(times[i])
				fmt.Printf("%s set %d variant %d: %6.0f µs (q1 %6.0f) rows %d cells %d\n", name, si, i, times[i][n/2], times[i][n/4], shape[i][0], shape[i][1])
			}
		}
		t.Close()
	}
}
