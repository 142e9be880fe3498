namespace EgressAppliance.Host.Http;

/// <summary>Writes the Prometheus text exposition format, version 0.0.4. Label values are escaped.</summary>
/// <param name="writer">Where the text goes.</param>
public sealed class PrometheusText(TextWriter writer) : MetricWriter
{
    /// <summary>Media type of the format, with its version.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private string _name = "";

    /// <inheritdoc/>
    protected override void Begin(string name, string type, string help)
    {
        _name = name;
        writer.Write($"# HELP {name} {help}\n# TYPE {name} {type}\n");
    }

    /// <inheritdoc/>
    protected override void Write(string suffix, double value, ReadOnlySpan<(string Name, string Value)> labels)
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
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
