using EgressAppliance.Decision.Planner;
using EgressAppliance.Host.Cli;

namespace EgressAppliance.Host.Steering;

/// <summary>A plan as text for a terminal: what to change, and what that makes of the links.</summary>
public static class PlanView
{
    /// <summary>Writes the plan.</summary>
    public static void Write(CommandConsole console, Plan plan)
    {
        ArgumentNullException.ThrowIfNull(console);
        ArgumentNullException.ThrowIfNull(plan);
        console.Out.WriteLine($"{Reasons.Code(plan.Verdict)}: {plan.Reason}");
        TextTable changes = new("CHANGE", "PREFIX", "FROM", "TO", ">RATE", "REASON");
        foreach (PlannedMove move in plan.Moves)
        {
            changes.Add("move", move.Prefix.ToString(), move.From, move.To, Human.Rate(move.RateBps), Reasons.Text(move.Reason));
        }

        foreach (PlannedRelease release in plan.Releases)
        {
            changes.Add("release", release.Prefix.ToString(), release.From, release.To, Human.Rate(release.RateBps), Reasons.Text(release.Reason));
        }

        changes.Write(console, "No changes.");
        if (plan.PinsWaiting is { } waiting)
        {
            TextTable pins = new("PINNED", "ON", "TO", ">RATE", "WAITS");
            foreach (WaitingPin pin in waiting)
            {
                pins.Add(pin.Prefix.ToString(), pin.Link, pin.To, Human.Rate(pin.RateBps), Reasons.Text(pin.Reason));
            }

            pins.Write(console, "");
        }

        TextTable links = new("LINK", ">NATIVE", ">PLANNED");
        foreach (PlannedLink link in plan.Links)
        {
            links.Add(link.Name, Human.Rate(link.NativeBps), Human.Rate(link.PlannedBps));
        }

        links.Write(console, "No links.");
        if (plan.OverloadBps > 0)
        {
            console.Out.WriteLine(
                $"Overload left: {Human.Rate(plan.OverloadBps)}; no assignment leaves less than {Human.Rate(plan.OverloadLowerBoundBps)}.");
        }
    }
}
