package bot

import (
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// cueClasses lists the classes that each language has cues for.
func cueClasses(fsys fs.FS) (map[string][]string, error) {
	names, err := fs.Glob(fsys, "data/cues_*.json")
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		var f cueFile
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		lang := strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "cues_"), ".json")
		out[lang] = slices.Sorted(maps.Keys(f.Cues))
	}
	return out, nil
}
