package rules

import (
	"strings"
)

// Names gives the name of something by its code, in a language. Things are
// "category", "item", "area" and "agency". It returns the code itself for what
// it does not know, for a thing may be gone since the reason was stored.
type Names func(lang, thing, code string) string

// things says what kind of thing each argument with a name is.
var things = map[string]string{
	"category": "category", "ancestor": "category", "item": "item", "area": "area",
	"agency": "agency", "other": "agency", "agencies": "agency",
}

// Render puts a reason into words. Languages other than Chinese get English.
func Render(lang string, r Reason, names Names) string {
	texts, comma := english, ", "
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		texts, comma = chinese, "、"
	}
	text, ok := texts[r.Code]
	if !ok {
		return string(r.Code)
	}
	pairs := make([]string, 0, 2*len(r.Args))
	for arg, value := range r.Args {
		switch {
		case arg == "agencies":
			var all []string
			for _, code := range strings.Split(value, ",") {
				all = append(all, names(lang, "agency", code))
			}
			value = strings.Join(all, comma)
		case arg == "urgency":
			if word, ok := texts[Code("urgency."+value)]; ok {
				value = word
			}
		case things[arg] != "":
			value = names(lang, things[arg], value)
		}
		pairs = append(pairs, "{"+arg+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

var english = map[Code]string{
	CategoryByPerson: "Category “{category}”, chosen by a person.",
	CategoryByText:   "Category “{category}” ({score} from the text).",
	CategoryByItem:   "Category “{category}”, from service item “{item}”.",
	CategoriesAgree:  "{count} likely categories lead to the same agency, together {score}.",
	PlaceKnown:       "The place lies in {area}.",

	EntryItemArea:     "Dispatch catalogue v{version}: service item “{item}” in {area} → {agency}.",
	EntryItem:         "Dispatch catalogue v{version}: service item “{item}” → {agency}.",
	EntryCategoryArea: "Dispatch catalogue v{version}: “{category}” in {area} → {agency}.",
	EntryCategory:     "Dispatch catalogue v{version}: “{category}” → {agency}.",
	EntryAncestorArea: "Dispatch catalogue v{version}: the broader category “{ancestor}” in {area} → {agency}.",
	EntryAncestor:     "Dispatch catalogue v{version}: the broader category “{ancestor}” → {agency}.",
	ItemAgency:        "{agency} is responsible for service item “{item}”.",

	WithCo:     "Together with {agencies}.",
	CoWithheld: "Confidential: a person decides whether co-agencies are told.",
	Raised:     "Urgency: {urgency}.",

	NoCategory:      "No category was recognised in the text.",
	UnknownCategory: "Category “{category}” is not in use.",
	NoEntry:         "The dispatch catalogue has no entry for “{category}”.",
	AreaMissing:     "For “{category}” the agency depends on the place, and the place is not known.",
	AreaOutside:     "For “{category}” no agency is named for this place.",
	AgencyInactive:  "{agency} no longer takes tickets.",
	Returned:        "{agency} had this ticket and returned it.",
	Tie:             "{agency} and {other} are about equally likely.",
	LowScore:        "The score {score} is below {threshold}: a dispatcher decides.",

	"urgency.urgent":  "urgent",
	"urgency.complex": "complex",
}

var chinese = map[Code]string{
	CategoryByPerson: "事项分类“{category}”，由工作人员选定。",
	CategoryByText:   "事项分类“{category}”（由文本判断，{score}）。",
	CategoryByItem:   "事项分类“{category}”，来自政务服务事项“{item}”。",
	CategoriesAgree:  "{count}个可能的分类都指向同一单位，合计{score}。",
	PlaceKnown:       "地点位于{area}。",

	EntryItemArea:     "派单目录第{version}版：事项“{item}”，{area} → {agency}。",
	EntryItem:         "派单目录第{version}版：事项“{item}” → {agency}。",
	EntryCategoryArea: "派单目录第{version}版：“{category}”，{area} → {agency}。",
	EntryCategory:     "派单目录第{version}版：“{category}” → {agency}。",
	EntryAncestorArea: "派单目录第{version}版：上级分类“{ancestor}”，{area} → {agency}。",
	EntryAncestor:     "派单目录第{version}版：上级分类“{ancestor}” → {agency}。",
	ItemAgency:        "{agency}负责政务服务事项“{item}”。",

	WithCo:     "协办单位：{agencies}。",
	CoWithheld: "保密诉求：是否告知协办单位由工作人员决定。",
	Raised:     "紧急程度：{urgency}。",

	NoCategory:      "未能从文本判断事项分类。",
	UnknownCategory: "分类“{category}”未启用。",
	NoEntry:         "派单目录中没有“{category}”的条目。",
	AreaMissing:     "“{category}”的承办单位取决于地点，但地点未知。",
	AreaOutside:     "“{category}”在该地点没有指定承办单位。",
	AgencyInactive:  "{agency}已停止接收工单。",
	Returned:        "{agency}曾收到此工单并退单。",
	Tie:             "{agency}与{other}的可能性相近。",
	LowScore:        "得分{score}低于{threshold}，由派单员决定。",

	"urgency.urgent":  "紧急",
	"urgency.complex": "复杂",
}
