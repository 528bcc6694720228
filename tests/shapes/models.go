// Package shapes tests what a query reads, and in which form.
package shapes
