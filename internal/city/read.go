package city

import (
	"errors"
	"io/fs"
)

// ReadFS parses and checks a folder. The error joins every problem that was found, one line each, as "file:line: entry: what is wrong". A file
// that cannot be parsed stops the reading, because every check after it would only repeat that one failure. Staff, articles and fields may be absent.
func ReadFS(folder fs.FS) (City, error) {
	c := City{lines: map[string][]int{}}
	var areas featureCollection
	var broken []error
	for _, f := range []file{
		{name: "jurisdiction.json", into: &c.Jurisdiction, plain: true},
		{name: "agencies.json", into: &c.Agencies},
		{name: "areas.geojson", into: &areas, list: "features"},
		{name: "categories.json", into: &c.Categories},
		{name: "services.json", into: &c.Services},
		{name: "fields.json", into: &c.Fields, optional: true},
		{name: "catalogue.json", into: &c.Catalogue, list: "entries"},
		{name: "users.json", into: &c.Users, optional: true},
		{name: "canned.json", into: &c.Canned},
		{name: "synonyms.json", into: &c.Synonyms},
	} {
		lines, err := f.decode(folder)
		c.lines[f.name] = lines
		broken = append(broken, err)
	}
	var err error
	c.Areas, err = areas.areas(c.lines["areas.geojson"])
	broken = append(broken, err)
	c.Articles, err = readArticles(folder, "articles")
	broken = append(broken, err)
	if err := errors.Join(broken...); err != nil {
		return City{}, err
	}
	if c.Advice, err = c.check(); err != nil {
		return City{}, err
	}
	return c, nil
}
