package kin

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// copyRows is from how many rows on they are written by the driver's own way,
// where there is one: asking whether it serves has a price.
const copyRows = 200

// canCopy reports whether n rows of the columns are to be written by the
// driver's own way. The session must be in a transaction.
func (s *session) canCopy(ctx context.Context, m *schema.Model, columns []*schema.Column, n int) (bool, error) {
	copier, ok := s.dialect.(dialect.Copier)
	if !ok || n < copyRows || s.tx == nil {
		return false, nil
	}
	conn := s.tx.outermost().conn
	if conn == nil {
		return false, nil
	}
	err := conn.Raw(func(conn any) error {
		ok = copier.CanCopy(conn)
		return nil
	})
	if err != nil || !ok {
		return false, err
	}
	found, err := s.column(ctx, s.dialect.Traits().Copies, s.quoted(m), schema.ColumnNames(columns))
	if err != nil {
		return false, err
	}
	fit, err := value.Int(found[0])
	return int(fit) == len(columns), err
}

// copyFrom writes rows by the driver's own way. next returns them, each valid
// until the next, and then io.EOF.
func (s *session) copyFrom(ctx context.Context, m *schema.Model, columns []*schema.Column, next func() ([]driver.Value, error)) error {
	return s.tx.outermost().conn.Raw(func(conn any) error {
		return s.Do(ctx, fmt.Sprintf("COPY %s FROM STDIN", s.quoted(m)), func() (int64, error) {
			return s.dialect.(dialect.Copier).Copy(ctx, conn, m.Table, schema.ColumnNames(columns), next)
		})
	})
}

func (s *session) quoted(m *schema.Model) string {
	return string(s.dialect.AppendIdent(nil, m.Table))
}
