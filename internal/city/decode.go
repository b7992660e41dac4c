package city

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// file is one JSON file of a folder.
type file struct {
	name     string
	into     any
	list     string // the key of the list of its entries; "" when the whole file is one
	plain    bool   // the file has no list of entries
	optional bool
}

// decode reads one JSON file into its typed value and notes where its entries begin. Unknown keys and anything after the value are errors: a
// mistyped key must not become a silent default.
func (f file) decode(folder fs.FS) (lines []int, err error) {
	raw, err := fs.ReadFile(folder, f.name)
	if f.optional && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // an editor on another system
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(f.into); err != nil {
		at := dec.InputOffset()
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			at = syntax.Offset
		case errors.As(err, &kind):
			at = kind.Offset
		}
		return nil, fmt.Errorf("%s: near line %d: %w", f.name, lineAt(raw, at), err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("%s: text after the end of the data", f.name)
	}
	if f.plain {
		return nil, nil
	}
	return entryLines(raw, f.list), nil
}

func lineAt(raw []byte, offset int64) int {
	return 1 + bytes.Count(raw[:max(0, min(int(offset), len(raw)))], []byte("\n"))
}

// entryLines lists the lines on which the elements of a list begin: of the file itself, or of the one behind a key. The data was decoded before,
// so an error ends the list early and costs line numbers only.
func entryLines(raw []byte, key string) (lines []int) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	for key != "" {
		name, err := dec.Token()
		if err != nil || !dec.More() {
			return nil
		}
		if name == key {
			if _, err := dec.Token(); err != nil {
				return nil
			}
			break
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return nil
		}
	}
	for dec.More() {
		at := dec.InputOffset()
		rest := raw[at:]
		at += int64(len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,")))
		lines = append(lines, lineAt(raw, at))
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return lines
		}
	}
	return lines
}
