using EgressAppliance.Cluster.Leases;

namespace EgressAppliance.Tests.Cluster;

/// <summary>
/// Some controllers, a database and a router in virtual time: processes that are killed and stopped at any moment, requests and replies that take their time or never come, cables that are cut,
/// clocks that run a little apart. The router keeps routes of a controller until it has heard nothing of it for the hold time. Whoever has routes there while another has is found.
/// </summary>
internal sealed class LeaseModel
{
    public const double Hold = 3, Unacknowledged = 1.5, Renew = 1;
    private const double Step = 0.05;
    private readonly Random _random;
    private readonly LeaseOptions _options;
    private readonly Process[] _processes;
    private readonly PriorityQueue<Action, (double, int)> _events = new();
    private readonly bool _fromReply;
    private int _order;
    private double _now;
    private LeaseRow? _row;

    /// <param name="seed">What happens.</param>
    /// <param name="term">Term of the lease, seconds.</param>
    /// <param name="silence">The silence that holders reckon with, seconds: for a right one, the hold time and the time that a message may lie unacknowledged.</param>
    /// <param name="fromReply">A wrong holder, which counts from when the reply came.</param>
    public LeaseModel(int seed, double term = 7, double silence = Hold + Unacknowledged, bool fromReply = false)
    {
        _random = new Random(seed);
        _fromReply = fromReply;
        _options = new LeaseOptions { Site = "s", Box = "b", Term = TimeSpan.FromSeconds(term), Silence = TimeSpan.FromSeconds(silence) };
        _processes = [.. Enumerable.Range(0, _random.Next(2, 5)).Select(i => new Process(this, 1 + ((_random.NextDouble() - 0.5) * 0.01)))];
    }

    /// <summary>Time during which some controller had routes, of that simulated.</summary>
    public double Led { get; private set; }

    /// <summary>Leaderships.</summary>
    public long Tokens => _row?.Token ?? 0;

    /// <summary>Runs; what was wrong, or null.</summary>
    public string? Run(double seconds)
    {
        foreach (Process process in _processes)
        {
            process.Begin();
        }

        for (double end = _now + seconds; _now < end;)
        {
            double next = _now + Step;
            while (_events.TryPeek(out Action? action, out (double Time, int) at) && at.Time <= next)
            {
                _events.Dequeue();
                _now = Math.Max(_now, at.Time);
                action();
                if (Two() is { } early)
                {
                    return early;
                }
            }

            _now = next;
            foreach (Process process in _processes)
            {
                process.Tick();
            }

            if (Two() is { } wrong)
            {
                return wrong;
            }

            Led += Array.Exists(_processes, p => p.HasRoutes) ? Step : 0;
        }

        return null;
    }

    private string? Two() => _processes.Count(p => p.HasRoutes) > 1
        ? $"{_now:F2} s: routes of {string.Join(" and ", _processes.Select((p, i) => (p, i)).Where(p => p.p.HasRoutes).Select(p => p.i))} at once" : null;

    private void At(double time, Action action) => _events.Enqueue(action, (time, _order++));

    private bool Chance(double perSecond) => _random.NextDouble() < perSecond * Step;

    private double Some(double most) => _random.NextDouble() * most;

    private sealed class Process : TimeProvider
    {
        private readonly LeaseModel _model;
        private readonly double _rate;
        private Guid _run;
        private LeaseTerm _term = null!;
        private LeaseWatch _watch = null!;
        private double _stoppedUntil;
        private double _deadUntil;
        private double _cutDatabaseUntil;
        private double _cutRouterUntil;

        // The session: its number, whether the router has one, and when the router last heard of it.
        private int _session;
        private bool _up;
        private double _connectAt;
        private double _heard;
        private double _nextRequest;
        private long _token;
        private int _life;
        private bool _routes;
        private bool _leads;

        public Process(LeaseModel model, double rate) => (_model, _rate) = (model, rate);

        public override long TimestampFrequency => 1_000_000;

        /// <summary>The router has routes of it.</summary>
        public bool HasRoutes => _routes && HasSession;

        private bool HasSession => _up && _model._now - _heard <= Hold;

        public override long GetTimestamp() => (long)(_model._now * _rate * 1e6);

        public void Begin()
        {
            _life++;
            _run = Guid.NewGuid();
            _term = new LeaseTerm(_model._options, this);
            _watch = new LeaseWatch(_model._options, this);
            _leads = false;
            _nextRequest = _model._now + _model.Some(Renew);
            _connectAt = _model._now + 0.3;
        }

        public void Tick()
        {
            double now = _model._now;
            Misfortune(now);
            if (now < _stoppedUntil || now < _deadUntil)
            {
                return;
            }

            if (_deadUntil > 0)
            {
                _deadUntil = 0;
                Begin();
            }

            // The router has ended the session: what is said into it is lost, and a new one takes a moment.
            if (_up && !HasSession)
            {
                (_up, _routes, _connectAt) = (false, false, now + 0.3);
            }

            if (!_up && now >= _connectAt && now >= _cutRouterUntil)
            {
                (_up, _routes, _heard) = (true, false, now);
                _session++;
            }

            if (now >= _nextRequest)
            {
                Request(now);
            }

            if (_leads && !_term.MayAnnounce)
            {
                _leads = false;
            }

            Speak(now);
        }

        private void Misfortune(double now)
        {
            if (_model.Chance(0.02))
            {
                _stoppedUntil = now + (_model._random.Next(3) == 0 ? _model.Some(60) : _model.Some(8));
            }

            if (_model.Chance(0.01))
            {
                // The kernel closes its connections: at a router that it can reach its routes end at once.
                _deadUntil = now + 0.5 + _model.Some(10);
                _term.Revoke();
                _up &= now < _cutRouterUntil;
                _life++;
            }

            _cutDatabaseUntil = _model.Chance(0.02) ? now + _model.Some(20) : _cutDatabaseUntil;
            _cutRouterUntil = _model.Chance(0.02) ? now + _model.Some(20) : _cutRouterUntil;
        }

        /// <summary>Says to the router what there is to say, if only that it lives. It may be stopped between the question whether it may and the word itself.</summary>
        private void Speak(double now)
        {
            if (!_up)
            {
                return;
            }

            bool? announce = _leads && _term.MayAnnounce ? true : _routes ? false : null;
            if (_model.Chance(0.05))
            {
                _stoppedUntil = now + _model.Some(12);
            }

            double said = Math.Max(now, _stoppedUntil);
            double lies = _model.Some(0.1);
            int life = _life;
            int session = _session;
            _model.At(said, () => Deliver(life, session, announce, _model._now, lies));
        }

        private void Deliver(int life, int session, bool? announce, double said, double lies)
        {
            double arrives = said + lies;
            if (_model._now < arrives || _model._now < _cutRouterUntil)
            {
                // It lies in the kernel until the cable is back, or the connection is given up.
                if (_model._now - said < Unacknowledged)
                {
                    _model.At(_model._now + Step, () => Deliver(life, session, announce, said, lies));
                }

                return;
            }

            // Into a session that the router has ended, or that ended with the process, nothing comes in.
            if (session == _session && HasSession && life == _life)
            {
                (_routes, _heard) = (announce ?? _routes, _model._now);
            }
        }

        private void Request(double now)
        {
            long asked = GetTimestamp();
            int life = _life;
            bool renewing = _leads;
            bool taking = !_leads && _watch.IsFree(_run);
            long token = _token;
            LeaseRow? seen = _watch.Row;
            _nextRequest = now + Renew;
            if (now < _cutDatabaseUntil)
            {
                return;
            }

            _model.At(now + _model.Some(0.4), () =>
            {
                LeaseRow? row = _model._row;
                bool granted = false;
                if (renewing && row is { Released: false } && row.Run == _run && row.Token == token)
                {
                    (row, granted) = (row with { Renewals = row.Renewals + 1 }, true);
                }
                else if (taking && row?.Token == seen?.Token && row?.Renewals == seen?.Renewals)
                {
                    (row, granted) = (new LeaseRow((row?.Token ?? 0) + 1, (row?.Renewals ?? 0) + 1, "b", _run, false, _model._options.Term), true);
                }

                _model._row = row;
                if (_model._random.Next(20) > 0)
                {
                    _model.At(_model._now + _model.Some(0.5), () => Reply(life, row, granted, renewing, asked));
                }
            });
        }

        private void Reply(int life, LeaseRow? row, bool granted, bool renewing, long asked)
        {
            if (life != _life || _deadUntil > _model._now)
            {
                return;
            }

            if (_model._now < _stoppedUntil)
            {
                _model.At(_stoppedUntil, () => Reply(life, row, granted, renewing, asked));
                return;
            }

            _watch.Note(row);
            if (granted)
            {
                _term.Granted(_model._fromReply ? GetTimestamp() : asked);
                _token = row!.Token;
                _leads = _term.MayAnnounce;
            }
            else if (renewing)
            {
                _leads = false;
                _term.Revoke();
            }
        }
    }
}
