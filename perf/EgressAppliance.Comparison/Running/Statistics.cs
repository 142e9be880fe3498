namespace EgressAppliance.Comparison.Running;

/// <summary>Median and range of the rounds.</summary>
/// <param name="Median">The middle, or the mean of the two middle ones.</param>
/// <param name="Least">The least.</param>
/// <param name="Most">The most.</param>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    /// <summary>Of at least one value.</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new(median, sorted[0], sorted[^1]);
    }

    /// <summary>Of the quotients of values of the same round: what slows the machine for a while slows both.</summary>
    public static Spread OfRatios(IEnumerable<double> values, IEnumerable<double> others) => Of(values.Zip(others, static (a, b) => a / b));
}
