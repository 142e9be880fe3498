using System.Buffers;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// Withdrawals and announcements that leave together, packed: prefixes with equal attributes share messages, and announcements stand before
/// withdrawals, so that a router moving traffic to a new path never has a moment with neither. Used under the speaker's lock.
/// </summary>
internal sealed class UpdateBatch
{
    private readonly Dictionary<(PathAttributes Attributes, IpFamily Family), List<Nlri>> _announce = [];
    private readonly List<Nlri> _withdrawIPv4 = [];
    private readonly List<Nlri> _withdrawIPv6 = [];
    private readonly ArrayBufferWriter<byte> _output = new(BgpConstants.MaxMessageLength);

    /// <summary>True if there is nothing to send.</summary>
    public bool IsEmpty => _announce.Count == 0 && _withdrawIPv4.Count == 0 && _withdrawIPv6.Count == 0;

    /// <summary>Adds an announcement.</summary>
    public void Announce(IpPrefix prefix, PathAttributes attributes)
    {
        if (!_announce.TryGetValue((attributes, prefix.Family), out List<Nlri>? list))
        {
            _announce.Add((attributes, prefix.Family), list = []);
        }

        list.Add(new(prefix));
    }

    /// <summary>Adds a withdrawal.</summary>
    public void Withdraw(IpPrefix prefix) => (prefix.Family == IpFamily.IPv4 ? _withdrawIPv4 : _withdrawIPv6).Add(new(prefix));

    /// <summary>Makes it empty.</summary>
    public void Clear()
    {
        _announce.Clear();
        _withdrawIPv4.Clear();
        _withdrawIPv6.Clear();
    }

    /// <summary>
    /// Encodes everything for a peer that takes these families. The octets are valid until the next call. Without <paramref name="announcements"/> only withdrawals are encoded.
    /// </summary>
    public ReadOnlySpan<byte> Encode(BgpCodecOptions options, IReadOnlyList<IpFamily> families, bool announcements, out int messages)
    {
        _output.ResetWrittenCount();
        messages = 0;
        if (announcements)
        {
            foreach (((PathAttributes attributes, IpFamily family), List<Nlri> list) in _announce)
            {
                if (families.Contains(family))
                {
                    messages += Math.Max(0, UpdateEncoder.Announce(family, attributes, list.ToArray(), options, _output));
                }
            }
        }

        if (families.Contains(IpFamily.IPv4))
        {
            messages += UpdateEncoder.Withdraw(IpFamily.IPv4, _withdrawIPv4.ToArray(), options, _output);
        }

        if (families.Contains(IpFamily.IPv6))
        {
            messages += UpdateEncoder.Withdraw(IpFamily.IPv6, _withdrawIPv6.ToArray(), options, _output);
        }

        return _output.WrittenSpan;
    }
}
