using EgressAppliance.Net;

namespace EgressAppliance.Flow;

/// <summary>Sampling intervals that exporters told in options data. Bounded; an interval holds as long as a template.</summary>
internal sealed class SamplerCache(FlowDecoderOptions options)
{
    private readonly Dictionary<Key, (uint Interval, long Seen)> _samplers = [];

    public int Count => _samplers.Count;

    public bool TryStore(in Key key, uint interval, long now)
    {
        if (!_samplers.ContainsKey(key) && _samplers.Count >= options.MaxSamplers)
        {
            return false;
        }

        _samplers[key] = (interval, now);
        return true;
    }

    /// <summary>The interval of the sampler, else that of the domain as a whole, else 0.</summary>
    public uint Find(in Key key, long now)
    {
        if (Get(key, now) is var own and not 0)
        {
            return own;
        }

        return key.Selector is null ? 0 : Get(key with { Selector = null }, now);
    }

    private uint Get(in Key key, long now)
    {
        if (_samplers.TryGetValue(key, out (uint Interval, long Seen) held))
        {
            if (now - held.Seen <= options.TemplateLifetimeMilliseconds)
            {
                return held.Interval;
            }

            _samplers.Remove(key);
        }

        return 0;
    }

    /// <summary>Whose interval it is; no selector where it holds for the domain.</summary>
    internal readonly record struct Key(FlowProtocol Protocol, IpAddr Exporter, uint Domain, ulong? Selector);
}
