using System.Globalization;

namespace EgressAppliance.Host.Config;

/// <summary>Checks of <c>decision.cost_mode</c> against the rest of <c>decision</c> and the links' prices.</summary>
/// <param name="root">The whole file.</param>
/// <param name="decision">Its decision section.</param>
/// <param name="diagnostics">Takes the errors.</param>
internal sealed class CostChecks(BoundSection root, BoundSection decision, ConfigDiagnostics diagnostics)
{
    private const int LeastPriced = 2;
    private const int MostPriced = 8;

    public void Run()
    {
        if (decision.Section("cost_mode") is not { } cost)
        {
            return;
        }

        CheckHold(cost);
        if (cost.TryGet("max_overrides", out long overrides) && decision.TryGet("max_overrides", out long all) && overrides > all)
        {
            TooMany(cost, "max_overrides");
        }

        if (cost.TryGet("max_share", out double share) && decision.TryGet("max_share", out double most) && share > most)
        {
            TooMany(cost, "max_share");
        }

        if (cost.TryGet("enabled", out bool enabled) && enabled)
        {
            CheckPrices(cost);
        }
    }

    private void CheckHold(BoundSection cost)
    {
        if (cost.TryGet("hold", out TimeSpan hold) && decision.TryGet("hold", out TimeSpan relief) && hold < relief)
        {
            BoundValue at = cost.Value("hold").Given ? cost.Value("hold") : decision.Value("hold");
            diagnostics.Error(
                at.At, $"'decision.cost_mode.hold': {cost.Value("hold").Text} is less than decision.hold {decision.Value("hold").Text}",
                "money is no reason to move a prefix sooner than overload is; use at least decision.hold");
        }
    }

    private void TooMany(BoundSection cost, string key) => diagnostics.Error(
        cost.Value(key).At, $"'decision.cost_mode.{key}': {cost.Value(key).Text} is more than decision.{key} {decision.Value(key).Text}",
        $"use less than decision.{key}: the rest is what overload can be relieved with");

    private void CheckPrices(BoundSection cost)
    {
        int priced = root.Sections("links").Count(l => l.Section("cost") is { } own && own.Value("price_per_mbit").Given);
        if (priced < LeastPriced)
        {
            diagnostics.Error(
                cost.Value("enabled").At, $"'decision.cost_mode.enabled': {(priced == 0 ? "no link has" : "only one link has")} a price, and it takes two to move anything",
                "give links cost.price_per_mbit (0 for a port that costs nothing by the bit), or set it to false");
        }
        else if (priced > MostPriced)
        {
            diagnostics.Error(
                cost.Value("enabled").At, $"'decision.cost_mode.enabled': {priced.ToString(CultureInfo.InvariantCulture)} links have a price, and at most {MostPriced.ToString(CultureInfo.InvariantCulture)} can be reckoned with",
                "take cost.price_per_mbit from those that matter least");
        }
    }
}
