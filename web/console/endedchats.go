package console

import (
	"net/http"
	"strconv"

	"hotline/chat"
)

// endedChats lists the chats that are over, with what the citizen thought of them.
type endedData struct {
	Rows  []chat.Ended
	Grade string // "", "0" to "5"
	More  string
}

// Grades are what the list can be narrowed to; 0 is no grade.
func (endedData) Grades() []int { return []int{5, 4, 3, 2, 1, 0} }

// Is reports whether the list shows one grade.
func (d endedData) Is(grade int) bool { return d.Grade == strconv.Itoa(grade) }

func (c *Console) endedChats(w http.ResponseWriter, r *http.Request) error {
	if err := c.needDesk(r); err != nil {
		return err
	}
	v := c.view(r)
	d := &endedData{}
	grade := chat.AnyGrade
	if n, err := strconv.Atoi(r.URL.Query().Get("grade")); err == nil && n >= 0 && n <= 5 {
		grade, d.Grade = n, strconv.Itoa(n)
	}
	var next string
	var err error
	if d.Rows, next, err = c.Chat.ListEnded(r.Context(), v.Me.Actor(), grade, r.URL.Query().Get("after"), pageSize); err != nil {
		return err
	}
	if next != "" {
		q := r.URL.Query()
		q.Set("after", next)
		d.More = "/console/chats/ended?" + q.Encode()
	}
	v.Nav, v.Title, v.D = "chats", v.T("endedchats.title"), d
	c.page(w, r, http.StatusOK, "ended-chats", v)
	return nil
}
