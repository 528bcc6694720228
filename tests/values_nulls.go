package tests

import (
	"database/sql"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
)

func testPointers(t *testing.T, s *Suite) {
	roundTrip(t, s, trip[*int]{}, nil, new(0), new(math.MinInt))
	roundTrip(t, s, trip[*int8]{}, nil, new(int8(0)), new(int8(-128)))
	roundTrip(t, s, trip[*int64]{}, nil, new(int64(0)), new(int64(math.MaxInt64)))
	roundTrip(t, s, trip[*uint8]{}, nil, new(uint8(0)), new(uint8(255)))
	roundTrip(t, s, trip[*uint32]{}, nil, new(uint32(0)), new(uint32(math.MaxUint32)))
	roundTrip(t, s, trip[*uint64]{}, nil, new(uint64(0)), new(uint64(math.MaxInt64)))
	roundTrip(t, s, trip[*float64]{}, nil, new(0.0), new(0.1))
	roundTrip(t, s, trip[*float32]{}, nil, new(float32(0)), new(float32(16777214)))
	roundTrip(t, s, trip[*bool]{}, nil, new(false), new(true))
	roundTrip(t, s, trip[*string]{}, nil, new(""), new("x"))
	roundTrip(t, s, trip[*colour]{}, nil, new(colour("")), new(colour("x")))
	roundTrip(t, s, trip[*[]byte]{scan: func(rows *sql.Rows) (*[]byte, error) {
		v, err := scanBytes(rows)
		if v == nil {
			return nil, err
		}
		return &v, err
	}}, nil, new([]byte{}), new([]byte{0}))
	roundTrip(t, s, trip[*uuid.UUID]{}, nil, new(uuid.Nil), new(uuid.Max))
	roundTrip(t, s, trip[*time.Duration]{}, nil, new(time.Duration(0)), new(time.Second))
	roundTrip(t, s, trip[*point]{}, nil, new(point{}), new(point{1, -2}))
	roundTrip(t, s, trip[*time.Time]{
		scan: func(rows *sql.Rows) (*time.Time, error) {
			v, err := scanTime(s)(rows)
			if err != nil || !v.Valid {
				return nil, err
			}
			return &v.V, nil
		},
	}, nil, new(time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC)))
}

func testNulls(t *testing.T, s *Suite) {
	roundTrip(t, s, trip[sql.Null[int]]{}, sql.Null[int]{}, sqlNull(0), sqlNull(math.MaxInt))
	roundTrip(t, s, trip[sql.Null[int8]]{}, sql.Null[int8]{}, sqlNull(int8(0)), sqlNull(int8(-128)))
	roundTrip(t, s, trip[sql.Null[uint16]]{}, sql.Null[uint16]{}, sqlNull(uint16(0)), sqlNull(uint16(65535)))
	roundTrip(t, s, trip[sql.Null[uint64]]{}, sql.Null[uint64]{}, sqlNull(uint64(0)), sqlNull(uint64(math.MaxInt64)))
	roundTrip(t, s, trip[sql.Null[float64]]{}, sql.Null[float64]{}, sqlNull(0.0), sqlNull(0.1))
	roundTrip(t, s, trip[sql.Null[bool]]{}, sql.Null[bool]{}, sqlNull(false), sqlNull(true))
	roundTrip(t, s, trip[sql.Null[string]]{}, sql.Null[string]{}, sqlNull(""), sqlNull("x"))
	roundTrip(t, s, trip[sql.Null[colour]]{}, sql.Null[colour]{}, sqlNull(colour("")), sqlNull(colour("x")))
	roundTrip(t, s, trip[sql.Null[[]byte]]{scan: func(rows *sql.Rows) (sql.Null[[]byte], error) {
		v, err := scanBytes(rows)
		return sql.Null[[]byte]{V: v, Valid: v != nil}, err
	}}, sql.Null[[]byte]{}, sqlNull([]byte{}), sqlNull([]byte{0}))
	roundTrip(t, s, trip[sql.Null[uuid.UUID]]{}, sql.Null[uuid.UUID]{}, sqlNull(uuid.Nil), sqlNull(uuid.Max))
	roundTrip(t, s, trip[sql.Null[point]]{}, sql.Null[point]{}, sqlNull(point{}), sqlNull(point{3, 4}))
	roundTrip(t, s, trip[sql.Null[time.Time]]{scan: scanTime(s)},
		sql.Null[time.Time]{}, sqlNull(time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC)))

	roundTrip(t, s, trip[sql.NullString]{}, sql.NullString{}, sql.NullString{Valid: true}, sql.NullString{String: "x", Valid: true})
	roundTrip(t, s, trip[sql.NullInt64]{}, sql.NullInt64{}, sql.NullInt64{Valid: true}, sql.NullInt64{Int64: math.MinInt64, Valid: true})
	roundTrip(t, s, trip[sql.NullInt32]{}, sql.NullInt32{}, sql.NullInt32{Valid: true}, sql.NullInt32{Int32: math.MinInt32, Valid: true})
	roundTrip(t, s, trip[sql.NullInt16]{}, sql.NullInt16{}, sql.NullInt16{Valid: true}, sql.NullInt16{Int16: math.MinInt16, Valid: true})
	roundTrip(t, s, trip[sql.NullByte]{}, sql.NullByte{}, sql.NullByte{Valid: true}, sql.NullByte{Byte: 255, Valid: true})
	roundTrip(t, s, trip[sql.NullFloat64]{}, sql.NullFloat64{}, sql.NullFloat64{Valid: true}, sql.NullFloat64{Float64: 0.1, Valid: true})
	roundTrip(t, s, trip[sql.NullBool]{}, sql.NullBool{}, sql.NullBool{Valid: true}, sql.NullBool{Bool: true, Valid: true})
	roundTrip(t, s, trip[sql.NullTime]{scan: func(rows *sql.Rows) (sql.NullTime, error) {
		v, err := scanTime(s)(rows)
		return sql.NullTime{Time: v.V, Valid: v.Valid}, err
	}}, sql.NullTime{}, sql.NullTime{Time: time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC), Valid: true})
}

func sqlNull[V any](v V) sql.Null[V] { return sql.Null[V]{V: v, Valid: true} }

// scanTime reads a time without kin: in SQLite, it is a text in UTC.
func scanTime(s *Suite) scanner[sql.Null[time.Time]] {
	return func(rows *sql.Rows) (v sql.Null[time.Time], err error) {
		if s.Name != "sqlite" {
			if err = rows.Scan(&v); v.Valid {
				v.V = v.V.UTC()
			}
			return v, err
		}
		var text sql.NullString
		if err = rows.Scan(&text); err != nil || !text.Valid {
			return v, err
		}
		v.V, err = time.Parse("2006-01-02 15:04:05.999999", text.String)
		v.Valid = true
		return v, err
	}
}
