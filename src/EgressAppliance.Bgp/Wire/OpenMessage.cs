namespace EgressAppliance.Bgp.Wire;

/// <summary>OPEN (RFC 4271 section 4.2) with its capabilities (RFC 5492).</summary>
public sealed class OpenMessage
{
    private const byte CapabilitiesParameter = 2;
    private const byte ExtendedLengthMarker = 255;

    /// <summary>Protocol version.</summary>
    public byte Version { get; init; } = 4;

    /// <summary>The 2-octet AS field; AS_TRANS where the AS does not fit.</summary>
    public ushort MyAs { get; init; }

    /// <summary>Hold time proposed, seconds; 0 or at least 3.</summary>
    public ushort HoldTime { get; init; }

    /// <summary>BGP Identifier, host order.</summary>
    public uint RouterId { get; init; }

    /// <summary>Capabilities in the order of the message, repeated ones included.</summary>
    public IReadOnlyList<BgpCapability> Capabilities { get; init; } = [];

    /// <summary>The sender's AS: the 4-octet one if the capability is there.</summary>
    public uint AsNumber => FourOctetAs ?? MyAs;

    /// <summary>The AS of the 4-octet AS capability, or null without it.</summary>
    public uint? FourOctetAs
    {
        get
        {
            foreach (BgpCapability capability in Capabilities)
            {
                if (capability.TryGetFourOctetAs(out uint value))
                {
                    return value;
                }
            }

            return null;
        }
    }

    /// <summary>Families offered. Without any Multiprotocol capability that is IPv4 unicast (RFC 4760 section 8).</summary>
    public IReadOnlyList<AfiSafi> Families
    {
        get
        {
            var families = new List<AfiSafi>();
            foreach (BgpCapability capability in Capabilities)
            {
                if (capability.TryGetMultiprotocol(out AfiSafi family) && !families.Contains(family))
                {
                    families.Add(family);
                }
            }

            return families.Count == 0 ? [AfiSafi.IPv4Unicast] : families;
        }
    }

    /// <summary>True if a capability of this code is there.</summary>
    public bool Has(byte code)
    {
        foreach (BgpCapability capability in Capabilities)
        {
            if (capability.Code == code)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What the sender can do with path identifiers of a family. If a family is repeated, the last entry counts.</summary>
    public AddPathMode AddPath(AfiSafi family)
    {
        AddPathMode mode = AddPathMode.None;
        foreach (BgpCapability capability in Capabilities)
        {
            if (capability.TryGetAddPath(out IReadOnlyList<AddPathEntry> entries))
            {
                foreach (AddPathEntry entry in entries)
                {
                    mode = entry.Family == family ? entry.Mode : mode;
                }
            }
        }

        return mode;
    }

    /// <summary>True if the sender can take routes of this family with next hops of that address family (RFC 8950 section 4).</summary>
    public bool ExtendedNextHop(AfiSafi family, ushort nextHopAfi)
    {
        foreach (BgpCapability capability in Capabilities)
        {
            if (capability.TryGetExtendedNextHop(out IReadOnlyList<ExtendedNextHopEntry> entries) && entries.Contains(new(family, nextHopAfi)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Reads the body and checks what can be checked without knowing the peer. Returns the error, or null with <paramref name="message"/> set.
    /// Capabilities with a malformed value stay in the list and count as unknown.
    /// </summary>
    public static BgpError? Decode(ReadOnlySpan<byte> body, out OpenMessage? message)
    {
        message = null;
        var reader = new BgpReader(body);
        if (!reader.TryReadByte(out byte version) || !reader.TryReadUInt16(out ushort myAs) || !reader.TryReadUInt16(out ushort holdTime)
            || !reader.TryReadUInt32(out uint routerId) || !reader.TryReadByte(out byte parametersLength))
        {
            return BgpError.Reset(BgpErrorCode.Header, HeaderSubcode.BadLength, "OPEN shorter than its fields");
        }

        if (version != 4)
        {
            return BgpError.Reset(BgpErrorCode.Open, OpenSubcode.Version, $"version {version} is not supported", new byte[] { 0, 4 });
        }

        var capabilities = new List<BgpCapability>();
        if (DecodeParameters(ref reader, parametersLength, capabilities) is { } error)
        {
            return error;
        }

        message = new OpenMessage { Version = version, MyAs = myAs, HoldTime = holdTime, RouterId = routerId, Capabilities = capabilities };
        return message.AsNumber == 0 || myAs == 0 ? BgpError.Reset(BgpErrorCode.Open, OpenSubcode.PeerAs, "AS 0 is reserved (RFC 7607)")
            : holdTime is 1 or 2 ? BgpError.Reset(BgpErrorCode.Open, OpenSubcode.HoldTime, $"a hold time of {holdTime} s is not allowed")
            : routerId == 0 ? BgpError.Reset(BgpErrorCode.Open, OpenSubcode.Identifier, "the BGP identifier is 0")
            : null;
    }

    /// <summary>Writes the whole message: each capability in a parameter of its own would also be legal, one parameter is shorter.</summary>
    public void Encode(ref BgpWriter writer)
    {
        int start = writer.BeginMessage(BgpMessageType.Open);
        writer.WriteByte(Version);
        writer.WriteUInt16(MyAs);
        writer.WriteUInt16(HoldTime);
        writer.WriteUInt32(RouterId);
        int capabilitiesLength = 0;
        foreach (BgpCapability capability in Capabilities)
        {
            capabilitiesLength += 2 + capability.Value.Length;
        }

        // RFC 9072: the extended form only when the plain one cannot hold it.
        bool extended = capabilitiesLength + 2 > 254;
        if (extended)
        {
            writer.WriteByte(ExtendedLengthMarker);
            writer.WriteByte(ExtendedLengthMarker);
            writer.WriteUInt16((ushort)(capabilitiesLength + 3));
            writer.WriteByte(CapabilitiesParameter);
            writer.WriteUInt16((ushort)capabilitiesLength);
        }
        else if (capabilitiesLength == 0)
        {
            writer.WriteByte(0);
        }
        else
        {
            writer.WriteByte((byte)(capabilitiesLength + 2));
            writer.WriteByte(CapabilitiesParameter);
            writer.WriteByte((byte)capabilitiesLength);
        }

        foreach (BgpCapability capability in Capabilities)
        {
            writer.WriteByte(capability.Code);
            writer.WriteByte((byte)capability.Value.Length);
            writer.WriteBytes(capability.Value);
        }

        writer.EndMessage(start);
    }

    private static BgpError? DecodeParameters(ref BgpReader reader, int length, List<BgpCapability> capabilities)
    {
        bool extended = false;
        if (length == ExtendedLengthMarker && reader.Remaining >= 3 && reader.Rest[0] == ExtendedLengthMarker)
        {
            _ = reader.TryReadByte(out _);
            _ = reader.TryReadUInt16(out ushort extendedLength);
            extended = true;
            length = extendedLength;
        }

        if (length != reader.Remaining)
        {
            return BgpError.Reset(BgpErrorCode.Open, OpenSubcode.Unspecific, "the length of the optional parameters does not match the message");
        }

        while (!reader.AtEnd)
        {
            if (!reader.TryReadByte(out byte type) || !TryReadLength(ref reader, extended, out int parameterLength)
                || !reader.TryReadSpan(parameterLength, out ReadOnlySpan<byte> value))
            {
                return BgpError.Reset(BgpErrorCode.Open, OpenSubcode.Unspecific, "an optional parameter is truncated");
            }

            if (type != CapabilitiesParameter)
            {
                return BgpError.Reset(BgpErrorCode.Open, OpenSubcode.OptionalParameter, $"optional parameter {type} is not supported");
            }

            var inner = new BgpReader(value);
            while (!inner.AtEnd)
            {
                if (!inner.TryReadByte(out byte code) || !inner.TryReadByte(out byte capabilityLength)
                    || !inner.TryReadSpan(capabilityLength, out ReadOnlySpan<byte> capability))
                {
                    return BgpError.Reset(BgpErrorCode.Open, OpenSubcode.Unspecific, "a capability is truncated");
                }

                capabilities.Add(new(code, capability));
            }
        }

        return null;
    }

    private static bool TryReadLength(ref BgpReader reader, bool extended, out int length)
    {
        if (extended)
        {
            bool fits = reader.TryReadUInt16(out ushort wide);
            length = wide;
            return fits;
        }

        bool read = reader.TryReadByte(out byte narrow);
        length = narrow;
        return read;
    }
}
