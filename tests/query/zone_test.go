package query

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestZoneOfSubquery reads times over 130 years in a zone with two changes in
// each: a time that a subquery finds is not looked for at every change.
func TestZoneOfSubquery(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{time.UTC, time.FixedZone("fixed", 5400)}
	for _, name := range []string{"America/Los_Angeles", "Africa/Casablanca"} { // the second has four changes in most years
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		zones = append(zones, zone)
	}
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, _ = things(t, s)
		ctx := t.Context()
		_, err := kin.Query[thing]().Everything().Delete(ctx, s.DB)
		require.NoError(t, err)
		var rows []*thing
		for at := time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC); at.Year() < 2100; at = at.Add(2797 * time.Hour) {
			rows = append(rows, &thing{At: at})
		}
		require.NoError(t, kin.Insert(ctx, s.DB, rows...))
		own := kin.F("at")
		found := kin.ValueOf(kin.Query[thing]().Where(kin.F("id").Eq(kin.Outer("id"))), own)
		for _, zone := range zones {
			for _, at := range []kin.Expr{own, found, kin.Coalesce(found, own)} {
				check(t, s, rows, "in the zone", kin.InZone(at, zone), func(x *thing) time.Time {
					y := x.At.In(zone)
					return time.Date(y.Year(), y.Month(), y.Day(), y.Hour(), y.Minute(), y.Second(), y.Nanosecond(), time.UTC)
				})
			}
		}
	})
}
