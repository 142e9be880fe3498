using System.Globalization;
using System.Text.RegularExpressions;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Api;

/// <summary>What wrk(1) found out.</summary>
/// <param name="RequestsPerSecond">Answers a second.</param>
/// <param name="MedianMilliseconds">Half of the answers came within this.</param>
/// <param name="P99Milliseconds">99 of a hundred came within this.</param>
/// <param name="Failed">Answers that were no success, and connections that failed.</param>
internal sealed partial record WrkResult(double RequestsPerSecond, double MedianMilliseconds, double P99Milliseconds, long Failed)
{
    /// <summary>Reads what <c>wrk --latency</c> prints.</summary>
    /// <exception cref="ComparisonException">Something is missing.</exception>
    public static WrkResult Parse(string output) => new(
        double.Parse(Value(Rate(), output), CultureInfo.InvariantCulture), Latency(Median(), output), Latency(P99(), output),
        NotFine().Matches(output).Sum(m => m.Groups["n"].Captures.Sum(c => long.Parse(c.Value, CultureInfo.InvariantCulture))));

    private static double Latency(Regex line, string output)
    {
        string text = Value(line, output);
        (string number, double factor) = text.EndsWith("us", StringComparison.Ordinal) ? (text[..^2], 1e-3) : text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1) : (text[..^1], 1e3);
        return double.Parse(number, CultureInfo.InvariantCulture) * factor;
    }

    private static string Value(Regex line, string output) =>
        line.Match(output) is { Success: true } match ? match.Groups[1].Value : throw new ComparisonException($"wrk printed no {line}:\n{output}");

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"(?m)^\s+50%\s+([0-9.]+(us|ms|s))$")]
    private static partial Regex Median();

    [GeneratedRegex(@"(?m)^\s+99%\s+([0-9.]+(us|ms|s))$")]
    private static partial Regex P99();

    [GeneratedRegex(@"(?m)Non-2xx or 3xx responses: (?<n>\d+)|Socket errors: connect (?<n>\d+), read (?<n>\d+), write (?<n>\d+), timeout (?<n>\d+)")]
    private static partial Regex NotFine();
}
