using EgressAppliance.Net;

namespace EgressAppliance.Flow;

/// <summary>Templates of all exporters. Bounded; what has expired makes room.</summary>
internal sealed class TemplateCache(FlowDecoderOptions options)
{
    private readonly Dictionary<Key, FlowTemplate> _templates = [];
    private long? _sweptAt;

    public int Count => _templates.Count;

    public FlowTemplate? Find(in Key key, long now)
    {
        if (!_templates.TryGetValue(key, out FlowTemplate? template) || !IsExpired(template, now))
        {
            return template;
        }

        _templates.Remove(key);
        return null;
    }

    /// <summary>Adds or replaces; false if there is no room.</summary>
    public bool TryStore(in Key key, FlowTemplate template)
    {
        if (!_templates.ContainsKey(key) && _templates.Count >= options.MaxTemplates)
        {
            // Once for each time: a datagram full of templates must not walk the whole cache for each.
            long now = template.SeenMilliseconds;
            foreach ((Key old, FlowTemplate held) in _sweptAt == now ? new Dictionary<Key, FlowTemplate>() : _templates)
            {
                if (IsExpired(held, now))
                {
                    _templates.Remove(old);
                }
            }

            _sweptAt = now;
            if (_templates.Count >= options.MaxTemplates)
            {
                return false;
            }
        }

        _templates[key] = template;
        return true;
    }

    public void Remove(in Key key) => _templates.Remove(key);

    /// <summary>Withdraws all templates of a domain, of the one kind (RFC 7011 section 8.1).</summary>
    public void RemoveAll(FlowProtocol protocol, IpAddr exporter, uint domain, bool isOptions)
    {
        foreach ((Key key, FlowTemplate held) in _templates)
        {
            if (key.Protocol == protocol && key.Exporter == exporter && key.Domain == domain && held.IsOptions == isOptions)
            {
                _templates.Remove(key);
            }
        }
    }

    private bool IsExpired(FlowTemplate template, long now) => now - template.SeenMilliseconds > options.TemplateLifetimeMilliseconds;

    /// <summary>Whose template it is.</summary>
    internal readonly record struct Key(FlowProtocol Protocol, IpAddr Exporter, uint Domain, ushort Id);
}
