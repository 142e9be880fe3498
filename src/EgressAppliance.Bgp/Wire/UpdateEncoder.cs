using System.Buffers;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>
/// Writes UPDATE messages: one as given, or as many as it takes to announce or withdraw a list of prefixes that share their
/// attributes, each filled as far as the message length allows. IPv4 uses the fields of RFC 4271, IPv6 and IPv4 with an IPv6 next hop (RFC 8950) those of RFC 4760.
/// </summary>
public static class UpdateEncoder
{
    /// <summary>Writes one whole message. What does not fit overflows the writer.</summary>
    public static void Encode(ref BgpWriter writer, UpdateMessage message, in BgpCodecOptions options)
    {
        ArgumentNullException.ThrowIfNull(message);
        int start = writer.BeginMessage(BgpMessageType.Update);
        int withdrawnAt = writer.Reserve(2);
        WriteNlri(ref writer, message.Withdrawn, options.AddPathIPv4);
        writer.PatchUInt16(withdrawnAt, writer.Position - withdrawnAt - 2);
        int attributesAt = writer.Reserve(2);
        if (message.MpReachFamily is { Family: { } reachFamily } reach)
        {
            WriteMpHeader(ref writer, AttributeType.MpReachNlri, out int reachAt);
            WriteFamily(ref writer, reach);
            WriteNextHop(ref writer, message.MpNextHop);
            WriteNlri(ref writer, message.MpReach, options.AddPath(reachFamily));
            writer.PatchUInt16(reachAt, writer.Position - reachAt - 2);
        }

        if (message.MpUnreachFamily is { } unreach)
        {
            WriteMpHeader(ref writer, AttributeType.MpUnreachNlri, out int unreachAt);
            WriteFamily(ref writer, unreach);
            WriteNlri(ref writer, message.MpUnreach, unreach.Family is { } family && options.AddPath(family));
            writer.PatchUInt16(unreachAt, writer.Position - unreachAt - 2);
        }

        if (message.Attributes is { } attributes)
        {
            AttributeEncoder.Encode(ref writer, attributes, options, withNextHop: attributes.NextHop.Address.Family == IpFamily.IPv4);
        }

        writer.PatchUInt16(attributesAt, writer.Position - attributesAt - 2);
        WriteNlri(ref writer, message.Announced, options.AddPathIPv4);
        writer.EndMessage(start);
    }

    /// <summary>
    /// Announces prefixes of one family that share <paramref name="attributes"/> (with their next hop). Returns the number of messages written,
    /// or -1 with nothing written if the attributes leave no room for each of the prefixes.
    /// </summary>
    public static int Announce(
        IpFamily family, PathAttributes attributes, ReadOnlySpan<Nlri> prefixes, in BgpCodecOptions options, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        ArgumentNullException.ThrowIfNull(output);
        int messages = 0;
        int max = options.MaxMessageLength;
        bool addPath = options.AddPath(family);
        int longest = 0;
        foreach (ref readonly Nlri nlri in prefixes)
        {
            longest = Math.Max(longest, NlriLength(nlri.Prefix, addPath));
        }

        while (!prefixes.IsEmpty)
        {
            var writer = new BgpWriter(output.GetSpan(max)[..max]);
            int start = writer.BeginMessage(BgpMessageType.Update);
            writer.WriteUInt16(0);
            int attributesAt = writer.Reserve(2);
            int room;
            int taken;
            if (attributes.NextHop.Address.Family == IpFamily.IPv4)
            {
                AttributeEncoder.Encode(ref writer, attributes, options, withNextHop: true);
                writer.PatchUInt16(attributesAt, writer.Position - attributesAt - 2);
                room = writer.Remaining;
                taken = Fill(ref writer, prefixes, addPath);
            }
            else
            {
                // MP_REACH_NLRI goes first, so the room the other attributes need must be known before the prefixes are written.
                int others = MeasureAttributes(attributes, options);
                WriteMpHeader(ref writer, AttributeType.MpReachNlri, out int reachAt);
                WriteFamily(ref writer, AfiSafi.Of(family));
                WriteNextHop(ref writer, attributes.NextHop);
                room = writer.Remaining - others;
                taken = Fill(ref writer, prefixes, addPath, others);
                writer.PatchUInt16(reachAt, writer.Position - reachAt - 2);
                AttributeEncoder.Encode(ref writer, attributes, options, withNextHop: false);
                writer.PatchUInt16(attributesAt, writer.Position - attributesAt - 2);
            }

            // The same room in every message, so the first one decides, before anything is written.
            if (writer.Overflowed || room < longest)
            {
                return -1;
            }

            writer.EndMessage(start);
            output.Advance(writer.Position);
            prefixes = prefixes[taken..];
            messages++;
        }

        return messages;
    }

    /// <summary>Withdraws prefixes of one family. Returns the number of messages written.</summary>
    public static int Withdraw(IpFamily family, ReadOnlySpan<Nlri> prefixes, in BgpCodecOptions options, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        int messages = 0;
        int max = options.MaxMessageLength;
        while (!prefixes.IsEmpty)
        {
            var writer = new BgpWriter(output.GetSpan(max)[..max]);
            int start = writer.BeginMessage(BgpMessageType.Update);
            int lengthAt = writer.Reserve(2);
            int taken;
            if (family == IpFamily.IPv4)
            {
                taken = Fill(ref writer, prefixes, options.AddPathIPv4, keepFree: 2);
                writer.PatchUInt16(lengthAt, writer.Position - lengthAt - 2);
                writer.WriteUInt16(0);
            }
            else
            {
                int attributesAt = writer.Reserve(2);
                WriteMpHeader(ref writer, AttributeType.MpUnreachNlri, out int unreachAt);
                WriteFamily(ref writer, AfiSafi.IPv6Unicast);
                taken = Fill(ref writer, prefixes, options.AddPathIPv6);
                writer.PatchUInt16(unreachAt, writer.Position - unreachAt - 2);
                writer.PatchUInt16(attributesAt, writer.Position - attributesAt - 2);
            }

            writer.EndMessage(start);
            output.Advance(writer.Position);
            prefixes = prefixes[taken..];
            messages++;
        }

        return messages;
    }

    /// <summary>Writes the End-of-RIB marker of a family (RFC 4724 section 2).</summary>
    public static void EndOfRib(ref BgpWriter writer, AfiSafi family)
    {
        int start = writer.BeginMessage(BgpMessageType.Update);
        writer.WriteUInt16(0);
        int attributesAt = writer.Reserve(2);
        if (family != AfiSafi.IPv4Unicast)
        {
            AttributeEncoder.WriteHeader(ref writer, AttributeFlags.Optional, AttributeType.MpUnreachNlri, 3);
            WriteFamily(ref writer, family);
        }

        writer.PatchUInt16(attributesAt, writer.Position - attributesAt - 2);
        writer.EndMessage(start);
    }

    private static int MeasureAttributes(PathAttributes attributes, in BgpCodecOptions options)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent(BgpConstants.MaxExtendedMessageLength);
        try
        {
            var writer = new BgpWriter(scratch);
            AttributeEncoder.Encode(ref writer, attributes, options, withNextHop: false);
            return writer.Overflowed ? BgpConstants.MaxExtendedMessageLength : writer.Position;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private static int Fill(ref BgpWriter writer, ReadOnlySpan<Nlri> prefixes, bool addPath, int keepFree = 0)
    {
        int taken = 0;
        while (taken < prefixes.Length && NlriLength(prefixes[taken].Prefix, addPath) <= writer.Remaining - keepFree)
        {
            writer.WriteNlri(prefixes[taken++], addPath);
        }

        return taken;
    }

    /// <summary>Octets of a prefix on the wire, with its length octet and the path identifier if there is one.</summary>
    private static int NlriLength(IpPrefix prefix, bool addPath) => (addPath ? 5 : 1) + ((prefix.Length + 7) / 8);

    private static void WriteNlri(ref BgpWriter writer, List<Nlri> list, bool addPath)
    {
        foreach (Nlri nlri in list)
        {
            writer.WriteNlri(nlri, addPath);
        }
    }

    private static void WriteMpHeader(ref BgpWriter writer, AttributeType type, out int lengthAt)
    {
        writer.WriteByte((byte)(AttributeFlags.Optional | AttributeFlags.ExtendedLength));
        writer.WriteByte((byte)type);
        lengthAt = writer.Reserve(2);
    }

    private static void WriteFamily(ref BgpWriter writer, AfiSafi family)
    {
        writer.WriteUInt16(family.Afi);
        writer.WriteByte(family.Safi);
    }

    private static void WriteNextHop(ref BgpWriter writer, NextHop nextHop)
    {
        bool both = !nextHop.LinkLocal.IsDefault;
        writer.WriteByte((byte)((nextHop.Address.BitLength / 8) + (both ? 16 : 0)));
        writer.WriteAddress(nextHop.Address);
        if (both)
        {
            writer.WriteAddress(nextHop.LinkLocal);
        }

        writer.WriteByte(0);
    }
}
