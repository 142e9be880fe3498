namespace EgressAppliance.Host.Cli;

/// <summary>How checks of a machine look.</summary>
internal static class SetupViews
{
    /// <summary>A table of what was tried.</summary>
    public static void Write(IReadOnlyList<SetupCheck> checks, CommandConsole console, string title, string empty)
    {
        TextTable table = new(title, "RESULT", "DETAIL");
        foreach (SetupCheck check in checks)
        {
            Cell cell = !check.Passed ? new Cell("failed", CellStyle.Bad) : check.Warning ? new Cell("warning", CellStyle.Warning) : new Cell("good", CellStyle.Good);
            table.Add(check.Name, cell, check.Detail + (check.Remedy is null ? "" : "; " + check.Remedy));
        }

        table.Write(console, empty);
    }
}
