package bench

import (
	"math"
	"math/rand/v2"
	"time"

	"hotline/tickets"
)

// The shape of the tickets that RunScale loads. Shares marked NYC were counted in 4,814 service requests to New York's 311 (NYC Open Data,
// samples of 2012–2025); docs/benchmarks.md says which field each comes from and what is an assumption. Weights need not add up to anything.

// weighted is a value with its weight.
type weighted[T any] struct {
	value  T
	weight float64
}

// pick draws one.
func pick[T any](r *rand.Rand, from []weighted[T]) T {
	var sum float64
	for _, w := range from {
		sum += w.weight
	}
	at := r.Float64() * sum
	for _, w := range from {
		if at -= w.weight; at < 0 {
			return w.value
		}
	}
	return from[len(from)-1].value
}

// matter is a category of the demo city with the requests that are like it. local: New York sends them to the police on the spot; here the street
// office of the area answers. Everything else goes to the department of the catalogue.
type matter struct {
	category string
	local    bool
}

// NYC, field type: requests of the types that are like a category of the demo city. The 402 others are of 100 rare types; they are spread evenly over the
// categories that are not named here, so the tail stays as long as it is.
var matters = []weighted[matter]{
	{matter{"environment.noise.social", true}, 1519}, // Noise - Residential 867, Street/Sidewalk 329, Commercial 301, Park 18, House of Worship 4
	{matter{"housing.repair", false}, 677},           // PLUMBING, GENERAL CONSTRUCTION, ELECTRIC, PAINT, WATER LEAK, DOOR/WINDOW, FLOORING, APPLIANCE …
	{matter{"urban.parking", true}, 419},             // Illegal Parking
	{matter{"utilities.heating", false}, 305},        // HEAT/HOT WATER 169, HEATING 136
	{matter{"environment.waste.collection", false}, 281},
	{matter{"public_safety.traffic", true}, 218}, // Blocked Driveway 204, Traffic 14
	{matter{"environment.noise.traffic", true}, 163},
	{matter{"urban.streetlights", false}, 162},
	{matter{"urban.potholes", false}, 133},
	{matter{"environment.waste.dumping", false}, 111},
	{matter{"housing.property_management", false}, 108}, // UNSANITARY CONDITION
	{matter{"environment.noise.construction", false}, 54},
	{matter{"urban.greening", false}, 54},
	{matter{"utilities.water.quality", false}, 48},
	{matter{"transport.taxi", false}, 46},
	{matter{"urban.drainage", false}, 29},
	{matter{"market.refund", false}, 24},
	{matter{"public_safety.residence", true}, 24},
	{matter{"urban.illegal_building", false}, 21},
	{matter{"market.food_safety", false}, 16},
}

const rareMatters = 402

// NYC, field borough: districts, the fifth is the bench's own. streets is how many postal codes the sample has in it, each a street office here.
var districts = []struct {
	code    string
	weight  float64
	streets int
}{{"donghu", 1443, 40}, {"beiqiao", 1082, 50}, {"xishan", 1021, 58}, {"nangang", 798, 26}, {"yunling", 143, 13}}

const nowhere = 327 // Unspecified

// NYC, field channel: PHONE 1,813, ONLINE 1,682 (half to the portal, half to the chat), MOBILE 744, OTHER and unknown 575.
var channelShares = []weighted[string]{{"phone", 1813}, {"portal", 841}, {"web", 841}, {"telegram", 744}, {"counter", 375}, {"email", 200}}

// NYC, field status: Closed 3,214, In Progress 998, Open 464, Assigned 86, Pending 52. What is Closed or Open there has several states here;
// how those are divided is an assumption.
var (
	openStates = []weighted[tickets.State]{
		{tickets.InProgress, 870}, {tickets.AwaitingCitizen, 52}, {tickets.Reopened, 128}, {tickets.Dispatched, 206},
		{tickets.PendingDispatch, 60}, {tickets.InCoordination, 10}, {tickets.ReturnRequested, 16}, {tickets.Accepted, 8},
		{tickets.Replied, 100}, {tickets.Completed, 90}, {tickets.Revisiting, 60},
	}
	closedStates = []weighted[tickets.State]{{tickets.Closed, 2910}, {tickets.AnsweredDirectly, 160}, {tickets.NotAccepted, 50}, {tickets.Withdrawn, 34}, {tickets.Merged, 60}}
)

// NYC, closed − created: quantiles of the hours that 3,232 closed requests took.
var hoursToClose = []struct{ quantile, hours float64 }{{0, .05}, {.1, .19}, {.25, .55}, {.5, 3.1}, {.75, 107}, {.9, 373}, {.95, 648}, {.99, 2783}, {1, 6000}}

func timeToClose(r *rand.Rand) time.Duration {
	u := r.Float64()
	for i := 1; i < len(hoursToClose); i++ {
		a, b := hoursToClose[i-1], hoursToClose[i]
		if u <= b.quantile {
			f := (u - a.quantile) / (b.quantile - a.quantile)
			return time.Duration(math.Exp(math.Log(a.hours)*(1-f)+math.Log(b.hours)*f) * float64(time.Hour))
		}
	}
	return time.Hour
}

// openShare is the probability that a ticket of an age is open: 32 % over a year, as in NYC (no field closed: 32.2 %), the newer the more.
func openShare(age time.Duration) float64 {
	return .08 + .9*math.Exp(-age.Hours()/24/100)
}

// Assumptions: New York's data say nothing about these.
var (
	kindShares    = []weighted[string]{{"complaint", 55}, {"help", 20}, {"consult", 12}, {"report", 5}, {"suggestion", 5}, {"praise", 3}} // reports are confidential
	urgencyShares = []weighted[string]{{"normal", 90}, {"urgent", 6}, {"complex", 4}}
	langShares    = []weighted[string]{{"zh-CN", 60}, {"en", 40}}
)

const (
	overdueShare    = .35 // of what is open
	supervisedShare = .02 // of what is open
	massShare       = .0005
	contactShare    = .85
	tagShare        = .10 // of the tickets of an agency with tags
	watchShare      = .02
	mentionShare    = .01
)
