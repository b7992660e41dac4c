package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
)

// decodeFile reads one JSON file into the typed value. Unknown keys and anything
// after the value are errors: a mistyped key must not become a silent default.
func decodeFile(folder fs.FS, name string, into any) error {
	raw, err := fs.ReadFile(folder, name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		line := 1 + bytes.Count(raw[:min(int(dec.InputOffset()), len(raw))], []byte("\n"))
		return fmt.Errorf("%s: near line %d: %w", name, line, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("%s: text after the end of the data", name)
	}
	return nil
}
