namespace EgressAppliance.Bgp.Speaker;

/// <summary>A rate limit: so many tokens a second, and at most a second's worth saved. Not thread-safe.</summary>
internal sealed class TokenBucket
{
    private readonly TimeProvider _time;
    private readonly int _perSecond;
    private double _tokens;
    private long _filled;

    /// <summary>A full bucket; a rate of 0 stands for no limit.</summary>
    public TokenBucket(TimeProvider time, int perSecond)
    {
        _time = time;
        _perSecond = perSecond;
        _tokens = perSecond;
        _filled = time.GetTimestamp();
    }

    /// <summary>Tokens there are now.</summary>
    public int Available
    {
        get
        {
            if (_perSecond == 0)
            {
                return int.MaxValue;
            }

            long now = _time.GetTimestamp();
            _tokens = Math.Min(_perSecond, _tokens + (_time.GetElapsedTime(_filled, now).TotalSeconds * _perSecond));
            _filled = now;
            return (int)_tokens;
        }
    }

    /// <summary>Takes tokens, of which <see cref="Available"/> has just told that they are there.</summary>
    public void Take(int count) => _tokens -= _perSecond == 0 ? 0 : count;
}
