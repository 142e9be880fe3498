using System.Globalization;
using System.Text;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Reporting;

/// <summary>A table of a Markdown report: the first column to the left, the others to the right unless they are words.</summary>
internal sealed class MarkdownTable
{
    private readonly StringBuilder _text = new();

    /// <summary>A table of numbers.</summary>
    public MarkdownTable(params IEnumerable<string> columns)
        : this(areWords: false, columns)
    {
    }

    /// <summary>A table of numbers or of words.</summary>
    public MarkdownTable(bool areWords, params IEnumerable<string> columns)
    {
        string[] names = [.. columns];
        Add(names);
        _text.AppendJoin(null, names.Select((_, i) => i == 0 || areWords ? "|---" : "|---:")).Append("|\n");
    }

    /// <summary>Adds a row.</summary>
    public void Add(params IEnumerable<string> cells) => _text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    /// <summary>A number with about three digits.</summary>
    public static string Number(double value) =>
        value.ToString(Math.Abs(value) switch { >= 100 => "0", >= 10 => "0.0", _ => "0.00" }, CultureInfo.InvariantCulture);

    /// <summary>Median, and least and most in brackets.</summary>
    public static string Format(Spread spread) => $"{Number(spread.Median)} ({Number(spread.Least)}–{Number(spread.Most)})";

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
