package knowledge

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSectionsAreCutAtHeadings(t *testing.T) {
	t.Parallel()
	md := "Answer first.\r\n\r\n## Cost ##\n\n10 yuan.\n\n```\n# not a heading\n```\n### 准备材料\n- 身份证\n#hashtag\n## Empty\n\n## Last\nend"
	want := []Section{
		{"", "Answer first."},
		{"Cost", "10 yuan.\n\n```\n# not a heading\n```"},
		{"准备材料", "- 身份证\n#hashtag"},
		{"Last", "end"},
	}
	if diff := cmp.Diff(want, Sections(md)); diff != "" {
		t.Error(diff)
	}
	if s := Sections(""); len(s) != 0 {
		t.Errorf("nothing gave %v", s)
	}
}
