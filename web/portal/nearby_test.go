package portal

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

func (s *site) upToCheckWithout(text string) answer {
	s.t.Helper()
	s.get("/file")
	s.post("/file/kind", "kind", "complaint")
	s.post("/file/what", "text", text)
	s.post("/file/where", "place", "12 Willow Road", "lat", "30.1", "lon", "120.2")
	s.photos("/file/photos", map[string]string{"action": "continue"}, nil)
	return s.post("/file/contact", "who", "anonymous").at(s.t, "/file/check")
}

func TestFollowingWhatOthersReported(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.upToCheckWithout("There is no water in our house").sees(t, "Others have reported this nearby", "Burst water main, Willow Road", "East One", "120 reports",
		"about 100 m away", "reported 2 days ago", "1 report", "Not the same: send mine")
	s.post("/file/check", "follow", "1").at(t, "/file/done").sees(t, "Your report is now part of that case", "<span>1234</span>")
	if f := s.cases.filings[0]; f.Follow != otherCase {
		t.Errorf("followed %v", f.Follow)
	}
}

func TestFilingAnyway(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.upToCheckWithout("There is no water in our house")
	// A number that was not offered follows nothing.
	s.post("/file/check", "follow", "7").at(t, "/file/done").sees(t, "We read it and send it to the office")
	if f := s.cases.filings[0]; f.Follow != uuid.Nil {
		t.Errorf("followed %v", f.Follow)
	}
}

func TestNothingNearby(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if a := s.upToCheckWithout("The lamp in front of our house is broken"); strings.Contains(a.body, "Others have reported") || !strings.Contains(a.body, "Send now") {
		t.Error("an offer of nothing")
	}
	// A confidential report is never compared, whatever its words.
	s = newSite(t)
	s.post("/report")
	s.post("/report/what", "text", "The water inspector takes money")
	s.post("/report/where", "place", "12 Willow Road")
	s.photos("/report/photos", map[string]string{"action": "continue"}, nil)
	if a := s.post("/report/contact", "who", "anonymous").at(t, "/report/check"); strings.Contains(a.body, "Others have reported") {
		t.Error("a confidential report was compared with others")
	}
	s.post("/report/check", "follow", "0").at(t, "/report/done")
	if f := s.cases.filings[0]; f.Follow != uuid.Nil {
		t.Errorf("a report followed %v", f.Follow)
	}
}
