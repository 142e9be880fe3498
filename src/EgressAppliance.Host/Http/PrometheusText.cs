using System.Globalization;

namespace EgressAppliance.Host.Http;

/// <summary>Writes the Prometheus text exposition format, version 0.0.4: one family at a time, each with its help and type.</summary>
/// <param name="writer">Where the text goes.</param>
public sealed class PrometheusText(TextWriter writer)
{
    private string _name = "";

    /// <summary>Starts a family; its samples follow.</summary>
    public PrometheusText Family(string name, string type, string help)
    {
        _name = name;
        writer.Write($"# HELP {name} {help}\n# TYPE {name} {type}\n");
        return this;
    }

    /// <summary>Starts a gauge.</summary>
    public PrometheusText Gauge(string name, string help) => Family(name, "gauge", help);

    /// <summary>Starts a counter; its name ends in <c>_total</c>.</summary>
    public PrometheusText Counter(string name, string help) => Family(name, "counter", help);

    /// <summary>Writes a histogram without labels: one series for each bound, the number of observations up to it, then sum and count.</summary>
    public PrometheusText Histogram(string name, string help, DurationReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        Family(name, "histogram", help);
        long sum = 0;
        for (int i = 0; i < reading.Counts.Count; i++)
        {
            sum += reading.Counts[i];
            string bound = i < reading.Bounds.Count ? Format(reading.Bounds[i]) : "+Inf";
            Part("_bucket", sum, ("le", bound));
        }

        return Part("_sum", reading.SumSeconds).Part("_count", sum);
    }

    /// <summary>Writes one sample of the family. Label values are escaped.</summary>
    public PrometheusText Sample(double value, params ReadOnlySpan<(string Name, string Value)> labels) => Part("", value, labels);

    private PrometheusText Part(string suffix, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        writer.Write(_name);
        writer.Write(suffix);
        for (int i = 0; i < labels.Length; i++)
        {
            writer.Write(i == 0 ? '{' : ',');
            writer.Write(labels[i].Name);
            writer.Write("=\"");
            writer.Write(Escape(labels[i].Value));
            writer.Write('"');
        }

        writer.Write(labels.Length == 0 ? " " : "} ");
        writer.Write(Format(value));
        writer.Write('\n');
        return this;
    }

    private static string Format(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
