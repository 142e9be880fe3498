using EgressAppliance.Cluster.Leases;

namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>
/// A controller: a process that renews, and speaks to the router if it may. It can be stopped between any two of its steps, and goes on with all that has become due meanwhile in any order; it can be killed
/// and started anew, and cut from the router, the database, or both.
/// </summary>
internal sealed class ModelController
{
    private const long Ms = 1000;
    private readonly LeaseModel _model;
    private readonly ModelClock _clock;
    private readonly List<(int Life, Action Action)> _due = [];
    private LeaseHolder _holder;
    private int _life;
    private bool _stopped;
    private int _stops;
    private bool _ready;
    private bool _told;
    private long _storeCutUntil;
    private long _routerCutUntil;

    // The speaker: the session that it takes for standing, what it announced by it, and whether it is about to send.
    private int _session;
    private int _sessions;
    private bool _connecting;
    private bool _announced;
    private bool _sending;
    private long _lastArrival;
    private int _lost;
    private bool _dead;

    public ModelController(LeaseModel model, int index)
    {
        _model = model;
        Index = index;
        double drift = model.Options.Drift;
        _clock = new ModelClock(model, 1 + (drift * ((2 * model.Random.NextDouble()) - 1)), model.Random.Next());
        _holder = New();
        Resigned = long.MinValue / 2;
    }

    public int Index { get; }

    public bool Leads => _holder.Leads && _holder.Term.MayAnnounce;

    /// <summary>When it last gave the lease back of its own will.</summary>
    public long Resigned { get; private set; }

    public void Start()
    {
        _life++;
        _dead = false;
        (_stopped, _told, _session, _announced, _sending, _connecting) = (false, false, 0, false, false, false);
        _ready = _model.Often(0.8);
        _holder = New();
        Later(0, Ask);
        Later(0, Tick);
    }

    public void Stop(long time)
    {
        if (_sending && _model.Options.StopsWhileSending == 0)
        {
            _model.After(_model.Options.Margin * Ms, () => Stop(time));
            return;
        }

        int stop = ++_stops;
        _stopped = true;
        _model.After(time, () =>
        {
            if (stop == _stops)
            {
                Continue();
            }
        });
    }

    public void Kill()
    {
        // The kernel says what is left to say, and closes the session.
        Transmit(ModelMessage.End);
        int life = ++_life;
        _dead = true;
        _due.Clear();
        _model.After(_model.Some(8000), () =>
        {
            if (life == _life)
            {
                Start();
            }
        });
    }

    public void CutFromRouter(long time) => _routerCutUntil = _model.Now + time;

    public void CutFromStore(long time) => _storeCutUntil = _model.Now + time;

    public void SetReady(bool ready) => _ready = ready;

    public void Resign(bool withdrawn)
    {
        if (_stopped || _dead)
        {
            return;
        }

        Resigned = _model.Now;
        _holder.Resign(false);
        Settle();
        if (withdrawn)
        {
            Later(50 * Ms, Confirm);
        }
    }

    public void Heal()
    {
        (_routerCutUntil, _storeCutUntil) = (0, 0);
        _stops++;
        Continue();
        if (_dead)
        {
            Start();
        }

        _ready = true;
    }

    private LeaseHolder New()
    {
        byte[] run = new byte[16];
        _model.Random.NextBytes(run);
        return new LeaseHolder(_model.Options.Lease($"box{Index}"), new Guid(run), _clock);
    }

    private void Continue()
    {
        _stopped = false;
        (int Life, Action Action)[] due = [.. _due];
        _due.Clear();
        _model.Random.Shuffle(due);
        foreach ((int life, Action action) in due)
        {
            _model.After(_model.Random.Next(500), () => Awake(life, action));
        }
    }

    private void Later(long microseconds, Action step)
    {
        int life = _life;
        _model.After(microseconds, () => Awake(life, step));
    }

    private void Awake(int life, Action step)
    {
        if (life != _life)
        {
            return;
        }

        if (_stopped)
        {
            _due.Add((life, step));
        }
        else
        {
            step();
        }
    }

    private void Ask()
    {
        LeaseRequest request = _holder.Next(_ready ? "" : "not ready", "{}");
        Settle();
        long asked = _clock.GetTimestamp();
        Later(!_model.Calm && _model.Often(0.1) ? _model.Some(500) : 0, () => Send(request, asked));
    }

    private void Send(LeaseRequest request, long asked)
    {
        bool over = false;
        int life = _life;
        int server = _model.Store.History;
        bool trouble = !_model.Calm;
        Travel(() => Arrive());
        Later(_clock.True(TimeSpan.FromSeconds(1)), () => Over(null));

        void Arrive()
        {
            // Requests of the time of trouble are lost with it, or the end could not be judged.
            if (server != _model.Store.History || trouble == _model.Calm)
            {
                return;
            }

            if (_model.Now < _model.Store.FrozenUntil)
            {
                _model.At(_model.Store.FrozenUntil + _model.Some(100), Arrive);
                return;
            }

            LeaseReply reply = _model.Store.Execute(request);
            Travel(() => Awake(life, () => Over(reply)));
        }

        void Over(LeaseReply? reply)
        {
            if (over)
            {
                return;
            }

            over = true;
            if (reply is null)
            {
                _holder.Failed();
            }
            else
            {
                _holder.Replied(request, _model.Options.Flaw == LeaseFlaw.CountsFromReply ? _clock.GetTimestamp() : asked, Seen(reply));
            }

            Settle();
            Later(_clock.True(_holder.Pause(asked, reply is not null)), Ask);
        }
    }

    /// <summary>The reply as a flawed controller takes it.</summary>
    private LeaseReply Seen(LeaseReply reply) => _model.Options.Flaw switch
    {
        LeaseFlaw.TrustsServerClock => reply with { Row = reply.Row! with { Term = TimeSpan.Zero, Released = true, Moved = false } },
        LeaseFlaw.OwesNothing when reply.Row!.Released => reply with { Row = reply.Row with { Term = TimeSpan.Zero } },
        _ => reply,
    };

    private void Travel(Action arrive)
    {
        long delay = _model.Some(!_model.Calm && _model.Often(0.05) ? 2000 : 100);
        if (_model.Now < _storeCutUntil)
        {
            if (_model.Often(0.5))
            {
                return;
            }

            // Sent again when the network is back.
            delay += _storeCutUntil - _model.Now;
        }

        _model.After(delay, arrive);
    }

    private void Settle()
    {
        if (_holder.Leads != _told)
        {
            _told = _holder.Leads;
            _model.Leaderships += _told ? 1 : 0;
            if (!_told && _holder.EndReason.StartsWith("it gives way", StringComparison.Ordinal))
            {
                Resigned = _model.Now;
            }

            Later(0, Speak);
        }

        if (_holder.Leads)
        {
            // Within a tenth of a second of the end of its time somebody looks.
            Later(_clock.True(_holder.Term.Remaining) + _model.Random.Next(100_000), Lapse);
        }
    }

    private void Lapse()
    {
        if (_holder.Lapse())
        {
            Settle();
        }
    }

    private void Confirm()
    {
        if (_sending || _announced || _lastArrival > _model.Now || _model.Router.HasRoutes(Index))
        {
            Later(50 * Ms, Confirm);
        }
        else
        {
            _holder.Resign(true);
            Settle();
        }
    }

    private void Tick()
    {
        Speak();
        Later((_model.Options.HoldTime * Ms / 3 / 2) + _model.Random.Next(_model.Options.HoldTime * 1000 / 3 / 2), Tick);
    }

    /// <summary>What there is to say; one message at a time.</summary>
    private void Speak()
    {
        if (_sending)
        {
            return;
        }

        if (_session == 0)
        {
            Connect();
            return;
        }

        // The question, and after it whatever may come between; then the message.
        bool may = _holder.Leads && _holder.Term.MayAnnounce;
        ModelMessage message = may && !_announced ? ModelMessage.Announce : !may && _announced ? ModelMessage.Withdraw : ModelMessage.KeepAlive;
        int session = _session;
        _sending = true;
        long gap = _model.Options.StopsWhileSending > 0 ? 1 + _model.Some(2) : _model.Some(_model.Options.Margin);

        // The worst moment is the last one at which it may.
        bool last = may && _holder.Term.Remaining < TimeSpan.FromMilliseconds(_model.Options.HoldTime / 4);
        bool late = !_model.Calm && _model.Options.StopsWhileSending > 0 && (last || _model.Often(_model.Options.StopsWhileSending));
        if (late)
        {
            // Before the hold time is over the session still lives.
            _model.After(0, () => Stop(last ? _model.Random.Next(_model.Options.HoldTime * 500, _model.Options.HoldTime * 1100) : _model.Random.Next(_model.Options.HoldTime * 1300)));
        }

        Later(gap, () =>
        {
            _sending = false;
            if (session != _session)
            {
                return;
            }

            Transmit(message);
            _announced = message switch { ModelMessage.Announce => true, ModelMessage.Withdraw => false, _ => _announced };
            if (late && _model.Often(0.5))
            {
                Stop(_model.Some(2 * _model.Options.Term));
            }

            if (_announced && _model.Options.AsksAgain)
            {
                Later(1, () => AskAgain(session));
            }
        });
    }

    private void AskAgain(int session)
    {
        if (session == _session && _announced && !_holder.Term.MayAnnounce)
        {
            Transmit(ModelMessage.End);
            Drop(session);
        }
    }

    private void Connect()
    {
        if (_connecting || _model.Now < _routerCutUntil)
        {
            return;
        }

        _connecting = true;
        int session = ++_sessions;
        Later(_model.Some(200), () =>
        {
            _connecting = false;

            // While the old session stands the router refuses another: nothing of it goes early.
            if (_model.Now < _routerCutUntil || _model.Router.Standing(Index) != 0)
            {
                return;
            }

            (_session, _announced) = (session, false);
            _model.Router.Open(Index, session);
            Later(0, Speak);
        });
    }

    /// <summary>The kernel's part: messages arrive in order, each within the send timeout, or the session is given up.</summary>
    private void Transmit(ModelMessage message)
    {
        int session = _session;
        if (session == 0)
        {
            return;
        }

        long limit = _model.Options.SendTimeout * Ms;
        long delay = Math.Max(_model.Some(_model.Options.SendTimeout), _routerCutUntil - _model.Now);
        if (delay > limit)
        {
            // Neither this nor anything after it arrives.
            _model.After(limit, () => Drop(session));
            _lost = session;
            return;
        }

        if (_lost == session)
        {
            return;
        }

        _lastArrival = Math.Max(_lastArrival, _model.Now + delay);
        _model.At(_lastArrival, () =>
        {
            bool stands = _model.Router.Standing(Index) == session;
            _model.Router.Receive(Index, session, message);
            if (!stands)
            {
                _model.After(_model.Some(50), () => Drop(session));
            }
        });
    }

    private void Drop(int session)
    {
        if (_session == session)
        {
            (_session, _announced) = (0, false);
        }
    }
}
