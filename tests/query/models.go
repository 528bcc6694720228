// Package query tests what is asked of rows beyond the rows themselves:
// aggregates, selections and expressions, on every database.
package query
