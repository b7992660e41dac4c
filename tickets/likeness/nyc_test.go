package likeness

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The public 311 requests of New York, where the machine has them.
const requests = "../../../shared/data/requests/nyc311/requests.jsonl"

type request struct {
	Case
	key, spot string // type and address; address
}

func load(t *testing.T) []request {
	t.Helper()
	f, err := os.Open(requests)
	if err != nil {
		t.Skipf("no development data here: %v", err)
	}
	defer f.Close()
	var out []request
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct{ Created, Type, Address, Zip, Lat, Lon string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse("2006-01-02T15:04:05.000", r.Created)
		if err != nil {
			if at, err = time.Parse("01/02/2006 03:04:05 PM", r.Created); err != nil {
				t.Fatal(err)
			}
		}
		lat, errLat := strconv.ParseFloat(r.Lat, 64)
		lon, errLon := strconv.ParseFloat(r.Lon, 64)
		if r.Address == "" || errLat != nil || errLon != nil {
			continue
		}
		kind := strings.ToLower(r.Type)
		group, _, _ := strings.Cut(kind, " - ")
		out = append(out, request{Case: Case{Lat: &lat, Lon: &lon, Category: group + "." + kind, At: at},
			spot: r.Address + r.Zip, key: kind + r.Address + r.Zip})
	}
	return out
}

// Pairs within a week: the same type at the same address is one matter. All other pairs are not, and the hard ones are those of one type
// in one neighbourhood and those of two types at one address. The label knows the address, the score only knows coordinates, the category and the
// time. The requests have no text of citizens, so the words are not measured here.
func TestDuplicatesInNewYork(t *testing.T) {
	t.Parallel()
	all := load(t)
	var found, missed, wrong, hardWrong, hard, easy, easyWrong int
	for i, a := range all {
		for _, b := range all[i+1:] {
			if gap := a.At.Sub(b.At).Abs(); gap > 7*24*time.Hour {
				continue
			}
			yes := Score(a.Case, b.Case, Link{}).Score >= Likely
			d, _ := Metres(a.Case, b.Case)
			near := a.spot == b.spot || a.Category == b.Category && d <= Radius
			switch {
			case a.key == b.key && yes:
				found++
			case a.key == b.key:
				missed++
			case near:
				if hard++; yes {
					hardWrong++
				}
			default:
				if easy++; yes {
					easyWrong++
				}
			}
		}
	}
	wrong = hardWrong + easyWrong
	recall, precision := float64(found)/float64(found+missed), float64(found)/float64(found+wrong)
	t.Logf("%d same, %d hard and %d easy pairs: recall %.3f, precision %.3f; of the hard pairs %.3f, of the easy ones %.6f are called likely",
		found+missed, hard, easy, recall, precision, float64(hardWrong)/float64(hard), float64(easyWrong)/float64(easy))
	if recall < .95 || precision < .6 || float64(easyWrong)/float64(easy) > 1e-4 {
		t.Errorf("worse than when the weights were set")
	}
}
