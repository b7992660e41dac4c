// Package demo holds the demonstration city Lanting: its agencies, areas, categories, services, dispatch catalogue, users and articles, as a
// folder that hotline import city would take (see internal/city).
//
// Lanting lies in the open sea, its telephone numbers and its people are invented. Passwords are not here; the loader is given the well-known one.
package demo

import (
	"embed"
	"io/fs"

	"hotline/internal/city"
)

//go:embed city
var files embed.FS

// Read parses and checks the embedded city. Errors: those of city.ReadFS.
func Read() (city.City, error) {
	sub, err := fs.Sub(files, "city")
	if err != nil {
		return city.City{}, err
	}
	return city.ReadFS(sub)
}
