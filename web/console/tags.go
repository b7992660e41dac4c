package console

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// tagsData is the tags of a ticket with the words to choose from.
type tagsData struct {
	Ticket uuid.UUID
	Tags   []tickets.Tag
	Known  []tickets.Tag
	Error  string
}

func (c *Console) loadTags(ctx context.Context, v View, id uuid.UUID) (tagsData, error) {
	d := tagsData{Ticket: id}
	on, err := c.Tickets.TagsOf(ctx, actor(v.Me), id)
	if err != nil {
		return d, err
	}
	d.Tags = on[id]
	d.Known, err = c.Tickets.Tags(ctx, actor(v.Me))
	return d, err
}

// showTags answers with the tags alone, or with the ticket's page without htmx.
func (c *Console) showTags(w http.ResponseWriter, r *http.Request, id uuid.UUID, cause error) error {
	v := c.view(r)
	status := http.StatusOK
	words := ""
	if cause != nil {
		if !expected(cause) {
			return cause
		}
		words, status = c.explain(r.Context(), v, cause), httperr.Status(errs.KindOf(cause))
	} else if t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id); err == nil {
		c.Chat.Announce(t)
	}
	if !isHX(r) {
		if cause != nil {
			return cause
		}
		return c.acted(w, r, id, "")
	}
	d, err := c.loadTags(r.Context(), v, id)
	if err != nil {
		return err
	}
	d.Error = words
	v.D = d
	c.fragment(w, r, status, "ticket-tags", v)
	return nil
}

func (c *Console) tagAdd(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	_, _, err = c.Tickets.AddTag(r.Context(), actor(v.Me), id, clean(r.PostForm.Get("tag"), 200))
	return c.showTags(w, r, id, err)
}

func (c *Console) tagRemove(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	tag, err := pathID(r, "tag")
	if err != nil {
		return err
	}
	v := c.view(r)
	_, err = c.Tickets.RemoveTag(r.Context(), actor(v.Me), id, tag)
	return c.showTags(w, r, id, err)
}

// tagRow is a tag of the vocabulary.
type tagRow struct {
	tickets.Tag
	Count string
}

type tagListData struct {
	Rows  []tagRow
	Error string
}

func (c *Console) showTagList(w http.ResponseWriter, r *http.Request, words string, status int) error {
	v := c.view(r)
	tags, err := c.Tickets.Tags(r.Context(), actor(v.Me))
	if err != nil {
		return err
	}
	uses, err := c.Tickets.TagUses(r.Context(), actor(v.Me))
	if err != nil {
		return err
	}
	d := &tagListData{Error: words}
	for _, g := range tags {
		n := atMost(uses[g.ID])
		if n == "" {
			n = "0"
		}
		d.Rows = append(d.Rows, tagRow{g, n})
	}
	v.Nav, v.Title, v.D = "tags", v.T("nav.tags"), d
	c.page(w, r, status, "tags", v)
	return nil
}

func (c *Console) tagList(w http.ResponseWriter, r *http.Request) error {
	return c.showTagList(w, r, "", http.StatusOK)
}

// tagChange runs a change of the vocabulary and shows it again.
func (c *Console) tagChange(w http.ResponseWriter, r *http.Request, do func(v View, tag uuid.UUID) error) error {
	tag, err := pathID(r, "tag")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	if err := do(v, tag); err != nil {
		if !expected(err) {
			return err
		}
		return c.showTagList(w, r, c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)))
	}
	http.Redirect(w, r, "/console/tags", http.StatusSeeOther)
	return nil
}

func (c *Console) tagRename(w http.ResponseWriter, r *http.Request) error {
	return c.tagChange(w, r, func(v View, tag uuid.UUID) error {
		return c.Tickets.RenameTag(r.Context(), actor(v.Me), tag, clean(r.PostForm.Get("name"), 200))
	})
}

func (c *Console) tagMerge(w http.ResponseWriter, r *http.Request) error {
	return c.tagChange(w, r, func(v View, tag uuid.UUID) error {
		return c.Tickets.MergeTag(r.Context(), actor(v.Me), tag, parseID(r.PostForm.Get("into")))
	})
}
