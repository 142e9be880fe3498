using System.Globalization;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary>How <c>show cost</c> looks.</summary>
public static class CostViews
{
    /// <summary>Writes the document.</summary>
    public static void Write(CostDto cost, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(cost);
        ArgumentNullException.ThrowIfNull(console);
        console.Out.WriteLine($"cost mode       {(cost.Enabled ? "on" : "off")}: {cost.Reason}");
        console.Out.WriteLine($"bill so far     {Money(cost.BillSoFar)} in any case{(cost.ExpectedBill is { } expected ? $", {Money(expected)} expected" : "")}");
        console.Out.WriteLine($"overrides       {Human.Count(cost.Overrides)} to lower the bill");
        if (cost.Problem is { } problem)
        {
            console.Out.WriteLine($"problem         the months are not kept on disk: {problem}");
        }

        console.Out.WriteLine();
        TextTable table = new("LINK", ">PRICE", ">COMMIT", ">STANDING", ">PERCENTILE", "?>LEVEL", ">FREE LEFT", "?>MEASURED", "?MONTH ENDS", "NOW");
        foreach (CostLinkDto link in cost.Links)
        {
            table.Add(
                link.Name,
                link.PricePerMbit.ToString(CultureInfo.InvariantCulture),
                link.CommitBps is { } commit ? Human.Rate(commit) : "-",
                Human.Rate(link.StandingBps),
                Human.Rate(link.PercentileBps),
                link.LevelBps is { } level ? Human.Rate(level) : "-",
                $"{(link.FreeLeft is { } left ? Human.Count(left) : "-")} of {Human.Count(link.FreeSamples)}",
                $"{Human.Count(link.Measured)} of {Human.Count(link.Samples)}",
                link.End.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                link.Bursting ? new Cell("bursting", CellStyle.Warning) : "-");
        }

        table.Write(console, "No link has a price.");
        if (cost.Moves.Count == 0)
        {
            return;
        }

        console.Out.WriteLine();
        TextTable moves = new("TIME", "PREFIX", "FROM", "TO", ">RATE", ">SAVING", "?REASON");
        foreach (CostMoveDto move in cost.Moves)
        {
            moves.Add(Human.Moment(move.Time), move.Prefix, move.From, move.To, Human.Rate(move.RateBps), move.GivesBack ? "given back" : Money(move.SavingPerMonth), move.Reason);
        }

        moves.Write(console, "");
    }

    private static string Money(decimal amount) => amount.ToString("N2", CultureInfo.InvariantCulture);
}
