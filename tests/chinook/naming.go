package chinook

import "github.com/kin-orm/kin"

// Naming returns how the flavour of Chinook for a dialect names its tables
// and columns: album.album_id on PostgreSQL, Album.AlbumId on the others.
// Tables are in the singular, and a primary key has its table's name in it.
func Naming(dialect string) kin.Naming {
	if dialect == "postgres" {
		return kin.Naming{
			Table: kin.SnakeCase,
			Column: func(model, field string) string {
				if field == "ID" {
					return kin.SnakeCase(model) + "_id"
				}
				return kin.SnakeCase(field)
			},
			Key: func(_, field, _ string) string {
				if field == "ReportsTo" {
					return "reports_to"
				}
				return kin.SnakeCase(field) + "_id"
			},
		}
	}
	return kin.Naming{
		Table: func(model string) string { return model },
		Column: func(model, field string) string {
			if field == "ID" {
				return model + "Id"
			}
			return field
		},
		Key: func(_, field, _ string) string {
			if field == "ReportsTo" {
				return field
			}
			return field + "Id"
		},
	}
}
