package api

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"hotline/channels"
	"hotline/routing"
	"hotline/tickets"
	"hotline/web/httperr"
)

// FieldDefinition is a field that whoever files under a category is asked for.
type FieldDefinition struct {
	Code    string        `json:"code" example:"source"`
	Names   routing.Names `json:"names" doc:"By language"`
	Type    string        `json:"type" enum:"text,number,date,choice,yes_no" doc:"A date is written 2026-03-10, yes_no as true or false" example:"choice"`
	Choices []FieldChoice `json:"choices,omitempty" doc:"Of a choice; its value is a code"`
	Needed  bool          `json:"needed" doc:"A filing that names the category has to have it"`
}

// FieldChoice is one answer of a choice.
type FieldChoice struct {
	Code  string        `json:"code" example:"site"`
	Names routing.Names `json:"names" doc:"By language"`
}

// FieldValue is a value of a ticket's category's own field.
type FieldValue struct {
	Code  string `json:"code" example:"source"`
	Name  string `json:"name" doc:"In the language of the request" example:"Source of the noise"`
	Value string `json:"value" doc:"A number with a point, a date as 2026-03-10, a choice as its code, yes or no" example:"site"`
	Words string `json:"words" doc:"The value for a reader: the name of a choice" example:"Building site"`
}

type fieldsInput struct {
	Code string `path:"code" maxLength:"100" example:"environment.noise"`
}

type fieldsOutput struct {
	Body struct {
		Fields []FieldDefinition `json:"fields"`
	}
}

func (a *API) fieldRoutes() {
	register(a, operation{id: "list-category-fields", method: http.MethodGet, path: "/categories/{code}/fields", tag: tagReference, summary: "List the fields of a category",
		about:  "What whoever files under the category is asked for beside the common fields, those of the categories above it first. Send values as fields of a new ticket.",
		errors: []int{http.StatusNotFound}}, a.categoryFields)
}

func (a *API) categoryFields(_ *call, in *fieldsInput) (*fieldsOutput, error) {
	if cat, ok := a.Routing.Snapshot().Category(in.Code); !ok || !cat.Active {
		return nil, httperr.ErrNotFound
	}
	out := &fieldsOutput{}
	out.Body.Fields = []FieldDefinition{}
	for _, f := range a.Tickets.AskedFields(in.Code) {
		d := FieldDefinition{Code: f.Code, Names: f.Names, Type: string(f.Type), Needed: f.Intake}
		for _, o := range f.Choices {
			d.Choices = append(d.Choices, FieldChoice{Code: o.Code, Names: o.Names})
		}
		out.Body.Fields = append(out.Body.Fields, d)
	}
	return out, nil
}

// customFields writes JSON values as the texts that fields are kept as.
// Errors: ErrField for a value that is an object, an array or null; ErrMissingField for values without the category whose fields they are.
func customFields(n NewTicket) (map[string]string, error) {
	if len(n.Fields) == 0 {
		return nil, nil
	}
	if n.Category == "" {
		return nil, named(ErrMissingField, "category")
	}
	out := map[string]string{}
	for _, code := range slices.Sorted(maps.Keys(n.Fields)) {
		switch value := n.Fields[code].(type) {
		case string:
			out[code] = channels.CleanText(value)
		case bool:
			out[code] = map[bool]string{true: "yes", false: "no"}[value]
		case float64:
			out[code] = strconv.FormatFloat(value, 'f', -1, 64)
		default:
			return nil, named(ErrField, "fields."+code)
		}
	}
	return out, nil
}

// fieldValues is what a ticket has in the fields of its category, in their order.
func (a *API) fieldValues(c *call, t tickets.Ticket) ([]FieldValue, error) {
	out := []FieldValue{}
	values, err := a.Tickets.FieldValues(c.ctx, c.staff(), t.ID)
	if err != nil || len(values) == 0 || t.Category == "" {
		return out, err
	}
	defs, err := a.Tickets.CustomFields(c.ctx, c.staff(), t.Category)
	if err != nil {
		return nil, err
	}
	for _, f := range defs {
		v, ok := values[f.Code]
		if !ok {
			continue
		}
		out = append(out, FieldValue{Code: f.Code, Name: f.Label(c.lang), Value: v.Value, Words: f.Words(v.Value, c.lang)})
	}
	return out, nil
}
