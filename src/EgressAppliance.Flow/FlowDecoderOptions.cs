namespace EgressAppliance.Flow;

/// <summary>Bounds of what a <see cref="FlowDecoder"/> keeps between datagrams.</summary>
public sealed record FlowDecoderOptions
{
    /// <summary>Most templates, of all exporters together.</summary>
    public int MaxTemplates { get; init; } = 4096;

    /// <summary>Most fields in one template.</summary>
    public int MaxFieldsPerTemplate { get; init; } = 256;

    /// <summary>Milliseconds that a template, or a sampling interval, holds after it was last received.</summary>
    public long TemplateLifetimeMilliseconds { get; init; } = 30 * 60 * 1000;

    /// <summary>Most samplers whose interval is kept, of all exporters together.</summary>
    public int MaxSamplers { get; init; } = 4096;

    /// <summary>Most sequences that are followed, of all exporters together.</summary>
    public int MaxSequences { get; init; } = 4096;
}
