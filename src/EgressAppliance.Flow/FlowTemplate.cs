namespace EgressAppliance.Flow;

/// <summary>A template: what the octets of a data record mean.</summary>
/// <param name="Fields">In order.</param>
/// <param name="IsOptions">Its records tell of the exporter, not of flows.</param>
/// <param name="MinBytes">Least octets of a record; at least 1.</param>
/// <param name="SeenMilliseconds">When it was last received.</param>
internal sealed record FlowTemplate(FlowTemplate.Field[] Fields, bool IsOptions, int MinBytes, long SeenMilliseconds)
{
    /// <summary>The length that stands for a variable one (RFC 7011 section 7).</summary>
    public const ushort Variable = 0xFFFF;

    /// <summary>One field.</summary>
    /// <param name="Element">Information element; 0 for one of an enterprise or a scope of version 9, which are stepped over.</param>
    /// <param name="Length">Octets, or <see cref="Variable"/>.</param>
    public readonly record struct Field(ushort Element, ushort Length);
}
