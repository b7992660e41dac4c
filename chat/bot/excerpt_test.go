package bot

import (
	"strings"
	"testing"
)

func TestALongSectionEndsWithALine(t *testing.T) {
	t.Parallel()
	row := "| [Mill Lane](https://lanting.example/offices/mill-lane) | 9 to 5 |\n"
	table := "| office | hours |\n| --- | --- |\n" + strings.Repeat(row, 20)
	got, more := strings.CutSuffix(excerpt(table), "\n\n…")
	if whole := strings.HasPrefix(table, got+"\n"); !more || !whole || len(got) < maxSection/2 || len(got) > maxSection {
		t.Errorf("%v %v %q", more, whole, got)
	}
	if short := "9 to 5.\n\nClosed on Sunday."; excerpt(short) != short {
		t.Errorf("%q is %q", short, excerpt(short))
	}
	if line := strings.Repeat("word ", 300); !strings.HasSuffix(excerpt(line), "…") || len(excerpt(line)) < maxSection/2 {
		t.Errorf("one long line is %q", excerpt(line))
	}
}
