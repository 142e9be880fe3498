using System.Buffers;
using System.Runtime.InteropServices;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Checks;

/// <summary>What holds for every decoded UPDATE.</summary>
public static class UpdateChecks
{
    /// <summary>The verdict agrees with the errors, and what may be used is sound.</summary>
    public static void Sound(UpdateMessage message, ErrorAction action, in BgpCodecOptions options)
    {
        ArgumentNullException.ThrowIfNull(message);
        Check.That(action == message.Action, $"Decode returned {action}, the message says {message.Action}");
        ErrorAction strongest = ErrorAction.None;
        foreach (BgpError error in message.Errors)
        {
            ErrorChecks.Sound(error);
            Check.That(error.Code == BgpErrorCode.Update, $"an UPDATE led to error {error.Code}/{error.Subcode}");
            strongest = error.Action > strongest ? error.Action : strongest;
        }

        Check.That(action == strongest, $"the verdict is {action}, the strongest error {strongest}");
        if (action == ErrorAction.SessionReset)
        {
            Check.That(message.Errors[^1].Action == ErrorAction.SessionReset, $"the last error does not reset the session: {message.Errors[^1]}");
            return;
        }

        RouteChecks.Sound(message.Withdrawn, IpFamily.IPv4, options, "withdrawn");
        RouteChecks.Sound(message.Announced, IpFamily.IPv4, options, "announced");
        SoundMp(message.MpReach, message.MpReachFamily, options, "MP_REACH_NLRI");
        SoundMp(message.MpUnreach, message.MpUnreachFamily, options, "MP_UNREACH_NLRI");
        SoundEndOfRib(message);
        if (action < ErrorAction.TreatAsWithdraw)
        {
            SoundRoutes(message, options);
        }
    }

    /// <summary>
    /// What was accepted can be written and is read back as it was; what is withdrawn likewise. Errors are not compared: an attribute that was
    /// discarded is not written.
    /// </summary>
    public static void RoundTrip(UpdateMessage message, in BgpCodecOptions options, UpdateMessage scratch)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(scratch);
        if (message.Action >= ErrorAction.TreatAsWithdraw || LosesConfed(message.Attributes, options))
        {
            return;
        }

        byte[] octets = ArrayPool<byte>.Shared.Rent(BgpConstants.MaxExtendedMessageLength);
        try
        {
            var writer = new BgpWriter(octets.AsSpan(0, BgpConstants.MaxExtendedMessageLength));
            UpdateEncoder.Encode(ref writer, message, options);
            if (writer.Overflowed)
            {
                return;
            }

            ErrorAction action = UpdateDecoder.Decode(writer.Written[BgpConstants.HeaderLength..], options, scratch);
            string hex = action == ErrorAction.None ? "" : Convert.ToHexStringLower(writer.Written);
            Check.That(action == ErrorAction.None, $"written again it is {action}: {string.Join("; ", scratch.Errors.Select(e => e.Text))}; {hex}");
            Check.That(
                Routes(message, withForeign: false) == Routes(scratch, withForeign: false),
                $"written and read again it differs: {Describe(message)} | {Describe(scratch)}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(octets);
        }
    }

    /// <summary>Announcing and withdrawing the message's prefixes in messages of our own gives the same prefixes and attributes.</summary>
    public static void Repack(UpdateMessage message, in BgpCodecOptions options, UpdateMessage scratch)
    {
        ArgumentNullException.ThrowIfNull(message);
        bool usable = message.Action < ErrorAction.TreatAsWithdraw && !LosesConfed(message.Attributes, options);
        if (message.Announced.Count > 0)
        {
            Repack(IpFamily.IPv4, message.Announced, usable ? message.Attributes : null, options, scratch);
        }

        if (message.MpReach.Count > 0 && message.MpReachFamily?.Family is { } family)
        {
            bool plain = message.MpNextHop.Address.Family == family;
            Repack(family, message.MpReach, usable && plain ? message.Attributes!.WithNextHop(message.MpNextHop) : null, options, scratch);
        }
    }

    /// <summary>Hash over everything there is in the message, errors included.</summary>
    public static ulong All(UpdateMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        Digest digest = default;
        digest.Add((ulong)message.Action);
        ErrorChecks.Add(ref digest, message.Errors);
        // After a reset the lists are not to be used and may hold what was read until then.
        digest.Add(message.Action == ErrorAction.SessionReset ? 0 : Routes(message, withForeign: true));
        digest.Add(message.EndOfRib is { } family ? ((ulong)family.Afi << 8) | family.Safi : 0);
        return digest.Value;
    }

    /// <summary>The message in words, for findings.</summary>
    public static string Describe(UpdateMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return $"withdrawn [{string.Join(' ', message.Withdrawn)}] announced [{string.Join(' ', message.Announced)}] reach {message.MpReachFamily} via "
            + $"{message.MpNextHop} [{string.Join(' ', message.MpReach)}] unreach {message.MpUnreachFamily} [{string.Join(' ', message.MpUnreach)}] "
            + RouteChecks.Describe(message.Attributes);
    }

    private static ulong Routes(UpdateMessage message, bool withForeign)
    {
        Digest digest = default;
        RouteChecks.Add(ref digest, message.Withdrawn);
        RouteChecks.Add(ref digest, message.Announced);
        // A family that is not decoded has nothing but its name; the encoder has nothing to write for MP_REACH_NLRI then.
        Family(ref digest, withForeign || message.MpReachFamily is { Family: not null } ? message.MpReachFamily : null);
        RouteChecks.Add(ref digest, message.MpReach);
        RouteChecks.Add(ref digest, message.MpNextHop.Address);
        RouteChecks.Add(ref digest, message.MpNextHop.LinkLocal);
        Family(ref digest, message.MpUnreachFamily);
        RouteChecks.Add(ref digest, message.MpUnreach);
        RouteChecks.Add(ref digest, message.Attributes);
        return digest.Value;

        static void Family(ref Digest digest, AfiSafi? family) => digest.Add(family is { } known ? ((ulong)known.Afi << 8) | known.Safi : ulong.MaxValue);
    }

    private static void SoundMp(List<Nlri> list, AfiSafi? family, in BgpCodecOptions options, string field)
    {
        if (family?.Family is { } known)
        {
            RouteChecks.Sound(list, known, options, field);
        }
        else
        {
            Check.That(list.Count == 0, $"{field}: {list.Count} prefixes of {(family is { } other ? other.ToString() : "no family")}");
        }
    }

    private static void SoundRoutes(UpdateMessage message, in BgpCodecOptions options)
    {
        if (message.Announced.Count > 0)
        {
            Check.That(message.Attributes is { NextHop.Address.Family: IpFamily.IPv4 }, $"announced without an IPv4 next hop: {Describe(message)}");
            Check.That(IsHost(message.Attributes.NextHop.Address), $"the next hop {message.Attributes.NextHop} is no host's address");
        }

        if (message.MpReachFamily?.Family is { } reach)
        {
            IpFamily hop = message.MpNextHop.Address.Family;
            bool fits = hop == reach || (reach == IpFamily.IPv4 && hop == IpFamily.IPv6 && options.ExtendedNextHop);
            Check.That(fits && message.Attributes is not null, $"{reach} routes by {message.MpNextHop}");
            Check.That(IsHost(message.MpNextHop.Address), $"the next hop {message.MpNextHop} is no host's address");
        }

        if (message.Attributes is { } attributes)
        {
            RouteChecks.Sound(attributes, options.External);
            Check.That(!options.External || !attributes.AsPath.HasConfedSegment, $"confederation segments from an external peer: {attributes.AsPath}");
        }
    }

    /// <summary>RFC 4271 section 6.3: not this network, loopback, multicast or reserved; for IPv6 not unspecified, loopback or multicast.</summary>
    private static bool IsHost(IpAddr address)
    {
        if (address.Family == IpFamily.IPv4)
        {
            uint first = address.IPv4Value >> 24;
            return first != 0 && first != 127 && first < 224;
        }

        return (address.High | address.Low) > 0 && !(address.High == 0 && address.Low == 1) && address.High >> 56 != 0xFF;
    }

    private static void SoundEndOfRib(UpdateMessage message)
    {
        if (message.EndOfRib is not { } family)
        {
            return;
        }

        Check.That(
            message.Action == ErrorAction.None && message.Withdrawn.Count + message.Announced.Count + message.MpReach.Count + message.MpUnreach.Count == 0
                && message.MpReachFamily is null && message.Attributes is null && family.Family is not null,
            $"End-of-RIB of {family} in a message with more: {Describe(message)}");
        var writer = new BgpWriter(stackalloc byte[64]);
        UpdateEncoder.EndOfRib(ref writer, family);
        var read = new UpdateMessage();
        UpdateDecoder.Decode(writer.Written[BgpConstants.HeaderLength..], default, read);
        Check.That(read.EndOfRib == family, $"End-of-RIB of {family} is read back as {read.EndOfRib}");
    }

    private static void Repack(IpFamily family, List<Nlri> list, PathAttributes? attributes, in BgpCodecOptions options, UpdateMessage scratch)
    {
        var output = new ArrayBufferWriter<byte>(BgpConstants.MaxMessageLength);
        int messages = UpdateEncoder.Withdraw(family, CollectionsMarshal.AsSpan(list), options, output);
        var seen = new List<Nlri>();
        Check.That(Unpack(output.WrittenSpan, options, scratch, m => seen.AddRange(family == IpFamily.IPv4 ? m.Withdrawn : m.MpUnreach)) == messages, $"{messages} withdrawals");
        Check.That(seen.SequenceEqual(list), $"withdrawn [{string.Join(' ', seen)}] instead of [{string.Join(' ', list)}]");
        if (attributes is null)
        {
            return;
        }

        output.ResetWrittenCount();
        seen.Clear();
        messages = UpdateEncoder.Announce(family, attributes, CollectionsMarshal.AsSpan(list), options, output);
        if (messages < 0)
        {
            return; // the attributes leave no room
        }

        int read = Unpack(output.WrittenSpan, options, scratch, m =>
        {
            seen.AddRange(family == IpFamily.IPv4 ? m.Announced : m.MpReach);
            PathAttributes? got = family == IpFamily.IPv4 ? m.Attributes : m.Attributes?.WithNextHop(m.MpNextHop);
            Check.That(attributes.Equals(got), $"announced with {RouteChecks.Describe(got)} instead of {RouteChecks.Describe(attributes)}");
        });
        Check.That(read == messages && seen.SequenceEqual(list), $"announced [{string.Join(' ', seen)}] instead of [{string.Join(' ', list)}]");
    }

    private static int Unpack(ReadOnlySpan<byte> stream, in BgpCodecOptions options, UpdateMessage scratch, Action<UpdateMessage> use)
    {
        int count = 0;
        while (!stream.IsEmpty)
        {
            bool framed = BgpFramer.TryReadHeader(stream, options, out BgpMessageType type, out int length, out BgpError? error);
            Check.That(framed && error is null && type == BgpMessageType.Update && length <= options.MaxMessageLength, $"a message of our own has a bad header: {error}");
            ErrorAction action = UpdateDecoder.Decode(stream[BgpConstants.HeaderLength..length], options, scratch);
            string hex = action == ErrorAction.None ? "" : Convert.ToHexStringLower(stream[..length]);
            Check.That(action == ErrorAction.None, $"a message of our own is {action}: {string.Join("; ", scratch.Errors.Select(e => e.Text))}; {hex}");
            use(scratch);
            stream = stream[length..];
            count++;
        }

        return count;
    }

    /// <summary>
    /// AS4_PATH has no confederation segments (RFC 6793 section 4.2.2), so that those not at the head of a path with 4-octet numbers are lost between speakers
    /// with 2-octet numbers: nothing that writing and reading could keep.
    /// </summary>
    private static bool LosesConfed(PathAttributes? attributes, in BgpCodecOptions options)
    {
        if (options.FourOctetAs || attributes is null || !attributes.AsPath.HasConfedSegment)
        {
            return false;
        }

        bool plainBefore = false;
        bool wide = false;
        bool inside = false;
        foreach (AsSegment segment in attributes.AsPath.Segments)
        {
            bool confed = segment.Type is AsSegmentType.ConfedSequence or AsSegmentType.ConfedSet;
            inside |= confed && plainBefore;
            plainBefore |= !confed;
            wide |= segment.Numbers.Any(n => n > ushort.MaxValue);
        }

        return wide && inside;
    }
}
