using System.Net;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: the body of an OPEN.</summary>
public sealed class OpenTarget : IFuzzTarget
{
    private const uint RouterId = 0x0A00_0001;

    private static readonly BgpPeerOptions External = new()
    {
        Name = "external",
        RemoteAddress = IPAddress.Loopback,
        LocalAs = 65000,
        PeerAs = 65001,
    };

    private static readonly BgpPeerOptions Internal = External with { Name = "internal", PeerAs = 65000 };

    public string Name => "open";

    public string Description => "the body of an OPEN: decoded twice alike, written and read again equal, and a negotiation with two peers that ends in parameters or an error";

    public int Weight => 3;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        input.Append(random.Pick(mutator.Corpus.Opens).Body);
        if (random.OneIn(3) && input.Length > 10)
        {
            AppendCapability(input, random);
        }

        if (!random.OneIn(8))
        {
            mutator.Octets(input, 0);
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        BgpError? error = OpenMessage.Decode(input, out OpenMessage? open);
        BgpError? again = OpenMessage.Decode(input, out OpenMessage? repeated);
        Digest digest = default;
        if (error is not null)
        {
            ErrorChecks.Sound(error);
            Check.That(error.Action == ErrorAction.SessionReset && error.Code is BgpErrorCode.Open or BgpErrorCode.Header, $"an OPEN led to {error}");
            Check.That(again is not null && again.Text == error.Text && again.Subcode == error.Subcode, $"the second time it is {again} instead of {error}");
            ErrorChecks.Add(ref digest, error);
            return new(Verdicts.Of(error), digest.Value);
        }

        Check.That(open is not null && repeated is not null && again is null && Of(open) == Of(repeated), $"the second time it is another OPEN");
        Check.That(
            open is { Version: 4, RouterId: not 0, HoldTime: 0 or >= 3, MyAs: not 0, AsNumber: not 0 },
            $"accepted with version {open!.Version}, identifier {open.RouterId}, hold time {open.HoldTime}, AS {open.AsNumber}");
        byte[] octets = new byte[BgpConstants.MaxExtendedMessageLength];
        var writer = new BgpWriter(octets);
        open!.Encode(ref writer);
        if (writer.Position <= BgpConstants.MaxMessageLength)
        {
            BgpError? rejected = OpenMessage.Decode(writer.Written[BgpConstants.HeaderLength..], out OpenMessage? read);
            Check.That(rejected is null && Of(read!) == Of(open), $"written and read again it is {rejected?.Text ?? "another OPEN"}");
        }

        digest.Add(Of(open));
        Negotiate(External, open, ref digest);
        Negotiate(Internal, open, ref digest);
        return new(Verdicts.Accepted, digest.Value);
    }

    private static void Negotiate(BgpPeerOptions peer, OpenMessage open, ref Digest digest)
    {
        BgpError? error = SessionParameters.Negotiate(peer, RouterId, open, out SessionParameters? agreed);
        if (error is not null)
        {
            ErrorChecks.Sound(error);
            Check.That(error is { Code: BgpErrorCode.Open, Action: ErrorAction.SessionReset } && agreed is null, $"a negotiation led to {error}");
            digest.Add(error.Text);
            return;
        }

        Check.That(
            agreed is { Families.Count: > 0 } && agreed.Receive.FourOctetAs == open.FourOctetAs.HasValue && agreed.Send.FourOctetAs == agreed.Receive.FourOctetAs
                && agreed.Internal == (peer.PeerAs == peer.LocalAs) && agreed.Receive.External != agreed.Internal,
            $"agreed on {agreed}");
        digest.Add(agreed!.Receive.ToString());
        digest.Add(agreed.AddPath);
    }

    private static ulong Of(OpenMessage open)
    {
        Digest digest = default;
        digest.Add((ulong)open.Version);
        digest.Add((ulong)open.MyAs);
        digest.Add((ulong)open.HoldTime);
        digest.Add((ulong)open.RouterId);
        digest.Add((ulong)open.AsNumber);
        foreach (BgpCapability capability in open.Capabilities)
        {
            digest.Add((ulong)capability.Code);
            digest.Add(capability.Value);
        }

        foreach (AfiSafi family in open.Families)
        {
            digest.Add(((ulong)family.Afi << 8) | family.Safi);
            digest.Add((ulong)open.AddPath(family));
        }

        return digest.Value;
    }

    /// <summary>Adds a parameter with one capability and corrects the length, if there is only the short one.</summary>
    private static void AppendCapability(InputBuffer input, FuzzRandom random)
    {
        Span<byte> value = stackalloc byte[random.Below(12)];
        random.Fill(value);
        byte code = random.Below(8) switch { 0 => 1, 1 => 2, 2 => 6, 3 => 64, 4 => 65, 5 => 69, 6 => 70, _ => random.Octet() };
        input.Append([2, (byte)(value.Length + 2), code, (byte)value.Length]);
        input.Append(value);
        input.Span[9] += (byte)(value.Length + 4);
    }
}
