namespace EgressAppliance.Host.Cli;

/// <summary>How a cell is emphasised where colour may be used.</summary>
public enum CellStyle
{
    /// <summary>Not at all.</summary>
    Plain,

    /// <summary>Something is as it should be.</summary>
    Good,

    /// <summary>Something to look at.</summary>
    Warning,

    /// <summary>Something is wrong.</summary>
    Bad,
}

/// <summary>A cell of a table.</summary>
/// <param name="Text">Its text.</param>
/// <param name="Style">Its emphasis.</param>
public readonly record struct Cell(string Text, CellStyle Style = CellStyle.Plain)
{
    /// <summary>A plain cell.</summary>
    public static implicit operator Cell(string? text) => new(text ?? "-");

    /// <summary>A plain cell.</summary>
    public static Cell ToCell(string? text) => text;
}

/// <summary>
/// A table of aligned columns without rules, which survives copying into a ticket. It is made to fit the terminal: long texts give way first,
/// ending in an ellipsis, then columns of lesser interest, which are named below the table, then shorter texts. Numbers are never cut.
/// </summary>
public sealed class TextTable
{
    private const int Gap = 2;
    private const int ReadableTextWidth = 24;
    private const int LeastTextWidth = 8;

    private readonly (string Name, bool Right, bool Lesser)[] _columns;
    private readonly List<Cell[]> _rows = [];

    /// <summary>Makes a table.</summary>
    /// <param name="columns">
    /// Names of the columns, after <c>&gt;</c> for numbers, which are aligned to the right, and <c>?</c> for columns of lesser interest, of
    /// which the first is the first to be left out.
    /// </param>
    public TextTable(params string[] columns) =>
        _columns = [.. columns.Select(c => (c.TrimStart('?', '>'), c.TrimStart('?').StartsWith('>'), c.StartsWith('?')))];

    /// <summary>Number of rows.</summary>
    public int Count => _rows.Count;

    /// <summary>Adds a row.</summary>
    public TextTable Add(params Cell[] cells)
    {
        ArgumentNullException.ThrowIfNull(cells);
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, _columns.Length);
        _rows.Add([.. cells.Select(c => c with { Text = c.Text.Length == 0 ? "-" : Human.Clean(c.Text) })]);
        return this;
    }

    /// <summary>Writes the table, or <paramref name="empty"/> if it has no rows.</summary>
    public void Write(CommandConsole console, string empty)
    {
        ArgumentNullException.ThrowIfNull(console);
        if (_rows.Count == 0)
        {
            console.Out.WriteLine(empty);
            return;
        }

        int[] widths = Widths(console.Width);
        WriteRow(console, [.. _columns.Select(c => new Cell(c.Name))], widths);
        foreach (Cell[] row in _rows)
        {
            WriteRow(console, row, widths);
        }

        string[] left = [.. _columns.Where((_, i) => widths[i] == 0).Select(c => c.Name)];
        if (left.Length > 0)
        {
            console.Out.WriteLine($"Not shown for want of width: {string.Join(", ", left)}.");
        }
    }

    private int[] Widths(int? terminal)
    {
        int[] widths = [.. _columns.Select((c, i) => Math.Max(c.Name.Length, _rows.Max(r => r[i].Text.Length)))];
        int limit = terminal ?? int.MaxValue;
        Shrink(widths, limit, ReadableTextWidth);
        for (int i = 0; i < widths.Length && Total(widths) > limit; i++)
        {
            if (_columns[i].Lesser)
            {
                widths[i] = 0;
            }
        }

        Shrink(widths, limit, LeastTextWidth);
        return widths;
    }

    private static int Total(int[] widths) => widths.Where(w => w > 0).Sum(w => w + Gap) - Gap;

    private void Shrink(int[] widths, int limit, int least)
    {
        for (int excess = Total(widths) - limit; excess > 0; excess--)
        {
            int widest = -1;
            for (int i = 0; i < widths.Length; i++)
            {
                if (!_columns[i].Right && widths[i] > Math.Max(least, _columns[i].Name.Length) && (widest < 0 || widths[i] > widths[widest]))
                {
                    widest = i;
                }
            }

            if (widest < 0)
            {
                return;
            }

            widths[widest]--;
        }
    }

    private void WriteRow(CommandConsole console, Cell[] row, int[] widths)
    {
        int pending = 0;
        for (int i = 0; i < row.Length; i++)
        {
            if (widths[i] == 0)
            {
                continue;
            }

            string text = row[i].Text.Length <= widths[i] ? row[i].Text : row[i].Text[..(widths[i] - 1)] + "…";
            int padding = widths[i] - text.Length;
            Pad(console.Out, pending + (_columns[i].Right ? padding : 0));
            console.Out.Write(Paint(text, row[i].Style, console.Color));
            // Spaces are owed, not written, so that no line ends in them.
            pending = Gap + (_columns[i].Right ? 0 : padding);
        }

        console.Out.WriteLine();
    }

    private static void Pad(TextWriter writer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            writer.Write(' ');
        }
    }

    private static string Paint(string text, CellStyle style, bool color) => !color || style == CellStyle.Plain
        ? text
        : style switch
        {
            CellStyle.Good => $"\u001b[32m{text}\u001b[0m",
            CellStyle.Warning => $"\u001b[33m{text}\u001b[0m",
            _ => $"\u001b[31m{text}\u001b[0m",
        };
}
