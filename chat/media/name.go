package media

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest name in characters, extension included.
const maxName = 100

// CleanName makes a file name that every system can show and store: the last part of a path, without characters that hide, reorder or
// steer, ending in an extension of the type. It is never empty.
func CleanName(name, contentType string) string {
	name = strings.ToValidUTF8(name, "")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == utf8.RuneError:
			return -1
		case strings.ContainsRune(`<>:"|?*%;&$'`+"`", r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	name = strings.Trim(strings.Join(strings.Fields(name), " "), ". ")
	base, ext := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && claimedType(name) == contentType {
		base, ext = name[:i], strings.ToLower(name[i:])
	}
	if ext == "" {
		if all := extensions[contentType]; len(all) > 0 {
			ext = all[0]
		}
	}
	base = strings.Trim(base, ". ")
	if r := []rune(base); len(r)+len(ext) > maxName {
		base = strings.TrimSpace(string(r[:maxName-len(ext)]))
	}
	if base == "" || reserved(base) {
		base = "file" + base
	}
	return base + ext
}

// reserved names mean devices on Windows, with any extension.
func reserved(base string) bool {
	base, _, _ = strings.Cut(strings.ToUpper(base), ".")
	base = strings.TrimSpace(base)
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '0' && base[3] <= '9'
}
