package city

import (
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// edited is the demo city with one file changed, as a person would.
var lanting = os.DirFS("../demo/city")

var lineNumber = regexp.MustCompile(`:\d+: `)

func edited(t *testing.T, name, old, new string) fstest.MapFS {
	t.Helper()
	folder := fstest.MapFS{}
	err := fs.WalkDir(lanting, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(lanting, path)
		folder[path] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := folder[name]
	if file == nil || !strings.Contains(string(file.Data), old) {
		t.Fatalf("%s does not hold %q: mend this test", name, old)
	}
	folder[name] = &fstest.MapFile{Data: []byte(strings.Replace(string(file.Data), old, new, 1))}
	return folder
}

func TestAMistakeIsNamedWithFileAndEntry(t *testing.T) {
	t.Parallel()
	const article = "articles/en/noise-complaint.md"
	for name, tt := range map[string]struct{ file, old, new, want string }{
		"unknown key":         {"agencies.json", `"phone"`, `"fone"`, `agencies.json: near line`},
		"broken JSON":         {"users.json", `[`, `[[`, `users.json: near line`},
		"text after the data": {"synonyms.json", "[", "[] [", `synonyms.json: text after the end`},
		"missing translation": {"agencies.json", `"zh-CN": "兰汀市教育局"`, `"zh-CN": ""`, `agencies.json: dept-education: names has no zh-CN text`},
		"foreign language":    {"canned.json", `"en": "Greeting"`, `"en": "Greeting", "fr": "Salut"`, `canned.json: greeting: names has a text in "fr"`},
		"duplicate code":      {"agencies.json", `"code": "dept-health"`, `"code": "dept-education"`, `agencies.json: dept-education: code is used twice`},
		"unknown parent":      {"agencies.json", `"parent": "dist-donghu"`, `"parent": "dist-nowhere"`, `parent "dist-nowhere" does not exist`},
		"agency without area": {"agencies.json", `"area": "lianhua"`, `"area": ""`, `agencies.json: street-lianhua: a street needs an area`},
		"open ring":           {"areas.geojson", `[125.1, 30.34], [125.1, 30.19]`, `[125.11, 30.34], [125.1, 30.19]`, `areas.geojson: beiqiao: ring 1 is not closed`},
		"swapped coordinates": {"areas.geojson", `[125.1, 30.34]`, `[30.34, 125.1]`, `areas.geojson: lanting: ring 1: position`},
		"point in the areas":  {"areas.geojson", `"type": "MultiPolygon"`, `"type": "Point"`, `areas.geojson: shiqiao: geometry "Point"`},
		"unknown kind":        {"categories.json", `"kinds": ["consult",`, `"kinds": ["consultation",`, `categories.json: education: kinds "consultation"`},
		"example said twice": {"categories.json", `Which vaccines does a three-month-old baby need?`, `What papers do I need to register my son for first grade?`,
			`categories.json: health.vaccination: the example "What papers do I need to register my son for first grade?" stands in education.enrolment.place`},
		"unknown service agency": {"services.json", `"agency": "dept-market"`, `"agency": "dept-markets"`, `agency "dept-markets" does not exist`},
		"unknown channel":        {"services.json", `"online"`, `"fax"`, `services.json: LT-EDU-001: channels "fax"`},
		"unknown lead":           {"catalogue.json", `"area": "lianhua", "lead": "street-lianhua"`, `"area": "lianhua", "lead": "street-lotus"`, `lead "street-lotus" does not exist`},
		"entry twice":            {"catalogue.json", `"area": "qingyun"`, `"area": "yingchun"`, `yingchun: a second entry`},
		"leaf without fallback":  {"catalogue.json", `{"category": "education.conduct"`, `{"category": "education.fees"`, `catalogue.json: education.conduct: the leaf has no entry without an area`},
		"unknown role":           {"users.json", `"administrator"]`, `"root"]`, `users.json: administrator@lanting.example: roles "root"`},
		"no mail address":        {"users.json", `editor@lanting.example`, `editor`, `users.json: editor: email`},
		"placeholder in one":     {"canned.json", `sorry for the wait.`, `sorry, {officer}.`, `canned.json: extended: text: en uses`},
		"form without a place":   {"canned.json", `"en": "{answer}\n\nDoes this`, `"en": "Does this`, `canned.json: chat-form: text: en has no place for {answer}`},
		"form's placeholder":     {"canned.json", `How can I help you?`, `{answer}`, `canned.json: greeting: placeholder in en "answer"`},
		"unknown placeholder":    {"canned.json", `{officer}`, `{secret}`, `canned.json: greeting: placeholder in en "secret"`},
		"term in two sets":       {"synonyms.json", `"apartment"`, `"elevator"`, `"elevator" stands in two sets`},
		"unknown zone":           {"jurisdiction.json", `Asia/Shanghai`, `Asia/Lanting`, `jurisdiction.json: lanting: timezone "Asia/Lanting"`},
		"no police":              {"jurisdiction.json", `"service": "police"`, `"service": "crime"`, `jurisdiction.json: emergency: no number for police`},
		"shift ends first":       {"jurisdiction.json", `"to": "20:00"`, `"to": "07:00"`, `want HH:MM, the first before the second`},
		"article without start":  {article, "---\n", "\n---\n", article + `: the first line must be ---`},
		"article key misspelt":   {article, "audience:", "audiance:", article + `: front matter`},
		"article in wrong place": {article, "lang: en", "lang: zh-CN", article + `: lang "zh-CN" does not match the folder`},
		"article of nobody":      {article, "owner: dept-environment", "owner: dept-noise", article + `: noise-complaint: owner "dept-noise" does not exist`},
		"article never valid":    {article, "valid_from: 2026-01-01", "valid_from: soon", article + `: valid_from "soon": want YYYY-MM-DD`},
		"article of a past":      {article, "valid_to:\n", "valid_to: 2001-01-01\n", article + `: valid_to lies before valid_from`},
		"unknown service item":   {article, "services: [", "services: [LT-ABC-999, ", article + `: noise-complaint: services "LT-ABC-999" does not exist`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadFS(edited(t, tt.file, tt.old, tt.new))
			if err == nil || !strings.Contains(lineNumber.ReplaceAllString(err.Error(), ": "), tt.want) {
				t.Errorf("error %v\nwant it to hold %q", err, tt.want)
			}
		})
	}
}

// The line is the one on which the entry begins, however the entries lie in their file.
func TestAMistakeIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ file, old, new, entry string }{
		"a file that is a list":  {"agencies.json", `"area": "lianhua"`, `"area": ""`, `"code": "street-lianhua"`},
		"a list in an object":    {"catalogue.json", `"area": "lianhua", "lead": "street-lianhua"`, `"area": "lianhua", "lead": "street-lotus"`, `"lead": "street-lotus"`},
		"features":               {"areas.geojson", `"type": "MultiPolygon"`, `"type": "Point"`, `"shiqiao"`},
		"a number where text is": {"services.json", `"url": "`, `"url": 5, "x": "`, `"url": 5`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := edited(t, tt.file, tt.old, tt.new)
			_, err := ReadFS(folder)
			if err == nil {
				t.Fatal("taken")
			}
			before, _, _ := strings.Cut(string(folder[tt.file].Data), tt.entry)
			line := 1 + strings.Count(before, "\n")
			m := regexp.MustCompile(`:(\d+): |line (\d+): `).FindStringSubmatch(err.Error())
			if m == nil {
				t.Fatalf("no line in %v", err)
			}
			got, _ := strconv.Atoi(m[1] + m[2])
			// An entry may begin a line or two above the word that is looked for.
			if got > line || got < line-2 {
				t.Errorf("line %d, want %d: %v", got, line, err)
			}
		})
	}
}

// What works but makes a worse hotline is advice, not a mistake.
func TestAdvice(t *testing.T) {
	t.Parallel()
	const article = "articles/en/noise-complaint.md"
	for name, tt := range map[string]struct{ file, old, new, want string }{
		"code leaves its tree": {"categories.json", `"code": "education.fees"`, `"code": "schooling.fees"`, ``},
		"article without mate": {article, "key: noise-complaint", "key: noise-complaints", `has no translation into`},
		"no telephone":         {"agencies.json", `"phone": "555-1000"`, `"phone": ""`, `agencies.json: city: phone is empty`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := ReadFS(edited(t, tt.file, tt.old, tt.new))
			if name == "code leaves its tree" {
				// The catalogue and the services still name the old code.
				if err == nil || !strings.Contains(err.Error(), `category "education.fees" does not exist`) {
					t.Error(err)
				}
				return
			}
			if err != nil || !strings.Contains(lineNumber.ReplaceAllString(strings.Join(c.Advice, "\n"), ": "), tt.want) {
				t.Errorf("%v, advice %v", err, c.Advice)
			}
		})
	}
	c, err := ReadFS(lanting)
	if err != nil || len(c.Advice) > 0 {
		t.Errorf("the demo city: %v, advice %v", err, c.Advice)
	}
}

func TestStaffAndArticlesMayBeAbsent(t *testing.T) {
	t.Parallel()
	folder := edited(t, "canned.json", "[", "[")
	for name := range folder {
		if name == "users.json" || strings.HasPrefix(name, "articles/") {
			delete(folder, name)
		}
	}
	if c, err := ReadFS(folder); err != nil || len(c.Users)+len(c.Articles) > 0 {
		t.Errorf("%d users, %d articles, %v", len(c.Users), len(c.Articles), err)
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	t.Parallel()
	folder := edited(t, "canned.json", "[", "[")
	delete(folder, "canned.json")
	if _, err := ReadFS(folder); err == nil || !strings.Contains(err.Error(), "canned.json") {
		t.Errorf("error %v: want it to name canned.json", err)
	}
}

func TestWindowsLineEndsAreFine(t *testing.T) {
	t.Parallel()
	folder := edited(t, "articles/en/noise-complaint.md", "---", "---")
	for name, f := range folder {
		f.Data = []byte("\ufeff" + strings.ReplaceAll(string(f.Data), "\n", "\r\n"))
		if !strings.HasSuffix(name, ".md") {
			delete(folder, name)
			folder[name] = edited(t, name, "", "")[name]
		}
	}
	if _, err := ReadFS(folder); err != nil {
		t.Error(err)
	}
}
