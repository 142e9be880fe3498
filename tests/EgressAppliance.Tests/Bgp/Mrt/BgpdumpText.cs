using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Mrt;

/// <summary>Prints records as <c>bgpdump -m</c> 1.6.2 does, so that the two can be compared line by line.</summary>
internal static class BgpdumpText
{
    public static IEnumerable<string> Lines(MrtRecord record) => record switch
    {
        MrtRib rib => Rib(rib),
        MrtStateChange change => [$"{Kind(change)}|{change.Time.ToUnixTimeSeconds()}|STATE|{change.Peer.Address}|{change.Peer.As}|{change.Old}|{change.New}"],
        MrtMessage message => Message(message),
        _ => [],
    };

    /// <summary>A line of bgpdump as it would be without what is peculiar to it.</summary>
    public static string Normalize(string line)
    {
        string[] f = line.Split('|');
        for (int i = 0; i < f.Length; i++)
        {
            // It writes "::" for a single group of zeroes, too (RFC 5952 section 4.2.2 has it for two or more).
            if (f[i].Contains("::", StringComparison.Ordinal))
            {
                f[i] = IpPrefix.TryParse(f[i], out IpPrefix prefix) ? prefix.ToString() : IpAddr.TryParse(f[i], out IpAddr address) ? address.ToString() : f[i];
            }
        }

        // Of the old type BGP it leaves the field of the communities out where there are none; and where there are some, it forgets the bar before them (see Message).
        if (f is ["BGP", _, "A", .., "AG" or "NAG", _, _] && f.Length == 14)
        {
            f = [.. f[..11], "", .. f[11..]];
        }

        // An AGGREGATOR with AS 0 is dropped (RFC 7607 section 2), and so is one that has not the octets its AS number should have (RFC 7606 section 7.7):
        // OpenBGPD wrote eight into a table of two-octet AS numbers, where bgpdump reads six of them, and so AS 0.
        if (f.Length > 3 && f[^2].StartsWith("0 ", StringComparison.Ordinal))
        {
            f[^2] = "";
        }

        return string.Join('|', f);
    }

    /// <summary>The fields behind the prefix: AS_PATH, ORIGIN, next hop, LOCAL_PREF, MED, communities, atomic, aggregator.</summary>
    public static string Attributes(PathAttributes attributes, IpAddr nextHop) => string.Join(
        '|', attributes.AsPath, attributes.Origin.ToString().ToUpperInvariant(), nextHop.IsDefault ? "255.255.255.255" : nextHop.ToString(),
        attributes.LocalPref ?? 0, attributes.Med ?? 0, Communities(attributes), attributes.AtomicAggregate ? "AG" : "NAG",
        attributes.Aggregator is { } aggregator ? $"{aggregator.As} {aggregator.Address}" : "");

    // Large communities are not printed in this form.
    private static string Communities(PathAttributes attributes) => string.Join(' ', attributes.Communities.Select(Name));

    private static string Name(uint community) => community switch
    {
        0xFFFF_FF01 => "no-export",
        0xFFFF_FF02 => "no-advertise",
        0xFFFF_FF03 => "local-AS",
        _ => Community.Format(community),
    };

    private static string Kind(MrtRecord record) => record.TypeName == "TABLE_DUMP_V2" ? "TABLE_DUMP2" : record.TypeName == "BGP4MP_ET" ? "BGP4MP" : record.TypeName;

    private static IEnumerable<string> Rib(MrtRib rib)
    {
        string kind = Kind(rib) + (rib.AddPath ? "_AP" : "");
        foreach (MrtRibPath path in rib.Paths)
        {
            MrtPeer peer = path.Peer!.Value;
            PathAttributes attributes = path.Attributes!;
            string id = rib.AddPath ? $"|{path.PathId}" : "";
            yield return $"{kind}|{rib.Time.ToUnixTimeSeconds()}|B|{peer.Address}|{peer.As}|{rib.Prefix}{id}|{Attributes(attributes, attributes.NextHop.Address)}|";
        }
    }

    private static IEnumerable<string> Message(MrtMessage message)
    {
        if (!BgpFramer.TryReadHeader(message.Message.Span, message.Codec, out BgpMessageType type, out int length, out BgpError? error)
            || error is not null || length != message.Message.Length)
        {
            yield return $"unreadable: {error?.Text}";
            yield break;
        }

        if (type != BgpMessageType.Update)
        {
            yield break;
        }

        var update = new UpdateMessage();
        ErrorAction action = UpdateDecoder.Decode(message.Message.Span[BgpConstants.HeaderLength..], message.Codec, update);
        if (action >= ErrorAction.TreatAsWithdraw)
        {
            yield return $"{action}: {update.Errors[^1].Text}: {Convert.ToHexStringLower(message.Message.Span)}";
        }

        bool addPath = message.Codec.AddPathIPv4;
        string head = $"{Kind(message)}{(addPath ? "_AP" : "")}|{message.Time.ToUnixTimeSeconds()}";
        foreach (Nlri nlri in update.Withdrawn.Concat(update.MpUnreach))
        {
            // Of the old type BGP it prints the peer's address where the prefix should be, with the prefix's length.
            yield return $"{head}|W|{message.Peer.Address}|{message.Peer.As}|{(message.TypeName == "BGP" ? $"{message.Peer.Address}/{nlri.Prefix.Length}" : Prefix(nlri))}";
        }

        foreach ((Nlri nlri, NextHop nextHop) in update.Announced.Select(n => (n, update.Attributes!.NextHop)).Concat(update.MpReach.Select(n => (n, update.MpNextHop))))
        {
            string attributes = Attributes(update.Attributes!, nextHop.Address);
            if (message.TypeName == "BGP" && attributes.Split('|') is var f)
            {
                attributes = string.Join('|', [.. f[..4], f[4] + f[5], "", .. f[6..]]);
            }

            yield return $"{head}|A|{message.Peer.Address}|{message.Peer.As}|{Prefix(nlri)}|{attributes}|";
        }

        string Prefix(Nlri nlri) => addPath ? $"{nlri.Prefix}|{nlri.PathId}" : nlri.Prefix.ToString();
    }
}
