// Package demo holds the demonstration city Lanting: its agencies, areas,
// categories, services, dispatch catalogue, users and articles.
//
// The city is data. Every file below city/ can be edited by hand; Read parses
// all of them and refuses whatever does not fit together, with the file and the
// entry in the message. Lanting lies in the open sea, its telephone numbers and
// its people are invented.
//
// Invariants of what Read returns: codes are unique per file, every reference
// leads somewhere, every text exists in every language of the jurisdiction,
// parents come before their children, polygons are closed, and each leaf of the
// category tree has an entry without an area in the dispatch catalogue.
//
// The package is pure: it reads only its embedded files and imports nothing of
// the product. Passwords are not here; the loader owns the well-known one.
package demo

import (
	"embed"
	"errors"
	"io/fs"
)

//go:embed city
var files embed.FS

// Read parses and checks the embedded city. The error joins every problem that
// was found, one line each, as "file: entry: what is wrong".
func Read() (City, error) {
	sub, err := fs.Sub(files, "city")
	if err != nil {
		return City{}, err
	}
	return ReadFS(sub)
}

// ReadFS is Read over a folder with the same layout, for an edited city. A file
// that cannot be parsed stops the reading, because every check after it would
// only repeat that one failure.
func ReadFS(folder fs.FS) (City, error) {
	var c City
	var areas featureCollection
	parts := []struct {
		name string
		into any
	}{
		{"jurisdiction.json", &c.Jurisdiction},
		{"agencies.json", &c.Agencies},
		{"areas.geojson", &areas},
		{"categories.json", &c.Categories},
		{"services.json", &c.Services},
		{"catalogue.json", &c.Catalogue},
		{"users.json", &c.Users},
		{"canned.json", &c.Canned},
		{"synonyms.json", &c.Synonyms},
	}
	var broken []error
	for _, p := range parts {
		broken = append(broken, decodeFile(folder, p.name, p.into))
	}
	var err error
	c.Areas, err = areas.areas()
	broken = append(broken, err)
	c.Articles, err = readArticles(folder, "articles")
	broken = append(broken, err)
	if err := errors.Join(broken...); err != nil {
		return City{}, err
	}
	if err := c.check(); err != nil {
		return City{}, err
	}
	return c, nil
}
