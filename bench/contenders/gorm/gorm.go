// Package gorm is gorm as its page on performance has it, with prepared statements
// that are kept and without a transaction around each write: once by its classic
// interface, once by gorm.G.
package gorm

import (
	"context"
	"errors"

	"github.com/libtnb/sqlite"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	moderncsqlite "modernc.org/sqlite"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/db"
)

//nolint:gochecknoinits // undoes what an init has done
func init() {
	// The dialect of SQLite changes settings of the driver for the whole process;
	// nobody else here is to be measured with them.
	moderncsqlite.StrictPragmas(false)
	_, _ = moderncsqlite.OFDLocking(false)
	_, _ = moderncsqlite.Fdatasync(false)
}

// Classic returns gorm by its classic interface.
func Classic() bench.Contender {
	return contender("gorm", "gorm, classic", func(s *session) map[string]bench.Op { return s.classicOps() })
}

// Generic returns gorm by gorm.G.
func Generic() bench.Contender {
	return contender("gorm.G", "gorm, by gorm.G", func(s *session) map[string]bench.Op { return s.genericOps() })
}

func contender(name, title string, ops func(*session) map[string]bench.Op) bench.Contender {
	return bench.Contender{
		Name: name, Title: title, Modules: []string{"gorm.io/gorm"},
		Open: func(_ context.Context, in *db.Instance) (*bench.Session, error) {
			s, err := open(in)
			if err != nil {
				return nil, err
			}
			return &bench.Session{Ops: ops(s), Close: s.close}, nil
		},
	}
}

type session struct{ db *gorm.DB }

func open(in *db.Instance) (*session, error) {
	pool := in.Pool()
	dialector := map[string]gorm.Dialector{
		"sqlite":   sqlite.New(sqlite.Config{Conn: pool}),
		"postgres": postgres.New(postgres.Config{Conn: pool}),
		"mysql":    mysql.New(mysql.Config{Conn: pool}),
	}[in.Dialect]
	db, err := gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true,
		PrepareStmt:            true,
		Logger:                 logger.Discard,
	})
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &session{db}, nil
}

func (s *session) close() error {
	if p, ok := s.db.ConnPool.(*gorm.PreparedStmtDB); ok {
		p.Close() // the statements
	}
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}
