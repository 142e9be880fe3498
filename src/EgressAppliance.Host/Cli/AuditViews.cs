using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary>How <c>show audit</c> and <c>show config</c> look.</summary>
public static class AuditViews
{
    /// <summary>Writes the audit log.</summary>
    public static void Write(IReadOnlyList<AuditEntryDto> entries, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(entries);
        TextTable table = new("TIME", "WHO", "?VIA", "ACTION", "DETAIL", "OUTCOME");
        foreach (AuditEntryDto entry in entries)
        {
            table.Add(
                Human.Moment(entry.Time), entry.Who, entry.Via, entry.Action, entry.Detail,
                new Cell(entry.Outcome, entry.Outcome == "done" ? CellStyle.Good : CellStyle.Warning));
        }

        table.Write(console, "Nobody has changed anything.");
    }

    /// <summary>Writes the configuration in force.</summary>
    public static void Write(ConfigDto config, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(console);
        console.Out.WriteLine(config is { File: { } file, LoadedAt: { } time } ? $"# {Human.Clean(file)}, read {Human.Moment(time)}" : "# built in");
        console.Out.Write(config.Effective);
    }
}
