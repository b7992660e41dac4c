package city

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/paulmach/orb/geojson"
	"gopkg.in/yaml.v3"
)

// Write makes a folder of a city. Files of the format that are there already are replaced, others stay; articles of a folder that the city does
// not have are not removed. An article whose key no file can be named after is left out and named. Errors: those of the file system.
func Write(dir string, c City) (leftOut []string, err error) {
	features := make([]feature, 0, len(c.Areas))
	for _, a := range c.Areas {
		f := feature{Type: "Feature", Properties: properties{a.Code, a.Parent, a.Level, a.Names, a.Inactive}}
		if a.Geometry != nil {
			raw, err := geojson.NewGeometry(a.Geometry).MarshalJSON()
			if err != nil {
				return nil, fmt.Errorf("area %s: %w", a.Code, err)
			}
			f.Geometry = &geometry{}
			if err := json.Unmarshal(raw, f.Geometry); err != nil {
				return nil, fmt.Errorf("area %s: %w", a.Code, err)
			}
		}
		features = append(features, f)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for name, v := range map[string]any{
		"jurisdiction.json": c.Jurisdiction, "agencies.json": list(c.Agencies), "areas.geojson": featureCollection{"FeatureCollection", features},
		"categories.json": list(c.Categories), "services.json": list(c.Services), "fields.json": list(c.Fields), "catalogue.json": c.Catalogue,
		"canned.json": list(c.Canned), "synonyms.json": list(c.Synonyms),
	} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			return nil, err
		}
	}
	for _, a := range c.Articles {
		if !plainCode.MatchString(a.Key) {
			leftOut = append(leftOut, articleKey(a))
			continue
		}
		if err := writeArticle(dir, a); err != nil {
			return nil, err
		}
	}
	return leftOut, nil
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func writeArticle(dir string, a Article) error {
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	head, err := yaml.Marshal(frontMatter{Form: a.Form, Key: a.Key, Lang: a.Lang, Title: a.Title, Summary: a.Summary, Owner: a.Owner, Topic: a.Topic, Keywords: a.Keywords,
		Questions: a.Questions, Services: a.Services, ValidFrom: day(a.ValidFrom), ValidTo: day(a.ValidTo), Audience: a.Audience})
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, "articles", a.Lang)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, a.Key+".md"), []byte("---\n"+string(head)+"---\n\n"+a.Body+"\n"), 0o644)
}

// ReadDir is ReadFS of a folder on disk, with words for what is no folder.
func ReadDir(dir string) (City, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return City{}, fmt.Errorf("there is no folder %s", dir)
	}
	if err != nil {
		return City{}, err
	}
	if !info.IsDir() {
		return City{}, fmt.Errorf("%s is a file; name the folder that holds %s", dir, strings.Join([]string{"jurisdiction.json", "agencies.json", "…"}, ", "))
	}
	return ReadFS(os.DirFS(dir))
}
