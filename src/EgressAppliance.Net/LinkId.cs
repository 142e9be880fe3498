namespace EgressAppliance.Net;

/// <summary>
/// The dense number of a link (one provider attachment: router, interface and next hops), given in configuration order from 1.
/// </summary>
/// <param name="Value">0 is no link (unattributed); 1 to <see cref="MaxValue"/> are configured links.</param>
public readonly record struct LinkId(ushort Value)
{
    /// <summary>The largest number a link can have: bounds the size of every (prefix, link) table.</summary>
    public const ushort MaxValue = 255;

    /// <summary>No link: the frame matched no configured link.</summary>
    public static LinkId None => default;

    /// <summary>True unless this is <see cref="None"/>.</summary>
    public bool IsSome => Value != 0;
}
